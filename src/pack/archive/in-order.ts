/**
 * Returns the results of `work` in the order of the items, while up to `ahead` items are being fetched, worked on or
 * waiting for their turn. The first failure, of an item or of its work, ends the iteration after the work that is under
 * way.
 */
export async function* inOrder<Item, Result>(
  items: AsyncGenerator<Item>,
  ahead: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const start = async (): Promise<{ result: Result } | undefined> => {
    // A generator queues these calls, so that the items keep their order whatever the work does.
    const next = await items.next();
    return next.done === true ? undefined : { result: await work(next.value) };
  };
  const underWay: Promise<{ result: Result } | undefined>[] = [];
  const add = (): void => {
    const started = start();
    started.catch(() => undefined);
    underWay.push(started);
  };
  try {
    for (let count = 0; count < ahead; count += 1) add();
    for (;;) {
      const oldest = await underWay.shift();
      if (oldest === undefined) return;
      add();
      yield oldest.result;
    }
  } finally {
    await items.return(undefined);
    await Promise.allSettled(underWay);
  }
}
