/** Counts of observations by upper bound, for one label value: an array access and two additions each. */
export interface Histogram {
  observe(label: string, value: number): void;
  /** Prometheus text of all labels, without HELP and TYPE. */
  render(name: string, labelName: string): string[];
}

/** @param bounds upper bounds in rising order; +Inf is added. */
export function createHistogram(bounds: readonly number[]): Histogram {
  const series = new Map<string, { counts: number[]; sum: number }>();
  return {
    observe(label, value) {
      let entry = series.get(label);
      if (!entry) {
        entry = { counts: new Array<number>(bounds.length + 1).fill(0), sum: 0 };
        series.set(label, entry);
      }
      let at = 0;
      while (at < bounds.length && value > (bounds[at] as number)) at++;
      entry.counts[at] = (entry.counts[at] as number) + 1;
      entry.sum += value;
    },
    render(name, labelName) {
      return [...series].flatMap(([label, { counts, sum }]) => {
        const own = `${labelName}=${JSON.stringify(label)}`;
        let total = 0;
        const buckets = counts.map((count, at) => {
          total += count;
          return `${name}_bucket{${own},le="${bounds[at] ?? "+Inf"}"} ${total}`;
        });
        return [...buckets, `${name}_sum{${own}} ${sum}`, `${name}_count{${own}} ${total}`];
      });
    },
  };
}
