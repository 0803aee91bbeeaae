/** What a piece of work holds and has to give back: when it ends, or when it was begun and forgotten. */
export class Owned {
  readonly #disposals: (() => void)[] = [];

  add(dispose: () => void): void {
    this.#disposals.push(dispose);
  }

  /** Gives all of it back, once. */
  release(): void {
    for (const dispose of this.#disposals.splice(0)) dispose();
  }
}

const forgotten = new FinalizationRegistry<Owned>((owned) => {
  owned.release();
});

/**
 * The generator that `make` gives. What it puts into its `Owned` is given back, at the latest when the generator was left
 * half-way without `return()` and is collected: nothing else tells that nobody will ask it again.
 */
export function owning<Item>(make: (owned: Owned) => Generator<Item>): Generator<Item> {
  const owned = new Owned();
  const steps = make(owned);
  forgotten.register(steps, owned);
  return steps;
}
