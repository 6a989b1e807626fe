/** Things to do in order of urgency: the lowest rank first, equal ones as they came. */
export class PriorityQueue<Item> {
  readonly #ranks: number[] = [];
  readonly #items: Item[] = [];

  get length(): number {
    return this.#items.length;
  }

  add(item: Item, rank: number): void {
    let low = 0;
    let high = this.#ranks.length;
    // Kept with the most urgent at the end, where taking is cheap.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranks[middle] ?? 0) > rank) low = middle + 1;
      else high = middle;
    }
    this.#ranks.splice(low, 0, rank);
    this.#items.splice(low, 0, item);
  }

  /** Takes out the most urgent item; `undefined` when there is none. */
  take(): Item | undefined {
    this.#ranks.pop();
    return this.#items.pop();
  }

  /** Takes out all that is left, the most urgent first. */
  takeAll(): Item[] {
    this.#ranks.length = 0;
    return this.#items.splice(0).reverse();
  }
}
