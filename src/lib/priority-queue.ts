/** A queue that is ordered by rank: the lowest rank comes first, items of equal rank in the order they were added. */
export class PriorityQueue<Item> {
  readonly #ranks: number[] = [];
  readonly #items: Item[] = [];

  get length(): number {
    return this.#items.length;
  }

  add(item: Item, rank: number): void {
    let low = 0;
    let high = this.#ranks.length;
    // The lowest rank is at the end, where it is cheap to remove.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranks[middle] ?? 0) > rank) low = middle + 1;
      else high = middle;
    }
    this.#ranks.splice(low, 0, rank);
    this.#items.splice(low, 0, item);
  }

  /** Removes the item of the lowest rank and returns it; undefined if the queue is empty. */
  take(): Item | undefined {
    this.#ranks.pop();
    return this.#items.pop();
  }

  /** Removes all items and returns them, the lowest rank first. */
  takeAll(): Item[] {
    this.#ranks.length = 0;
    return this.#items.splice(0).reverse();
  }
}
