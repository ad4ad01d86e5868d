const heard: NodeJS.Signals[] = [];
let tell: ((signal: NodeJS.Signals) => void) | undefined;

/** Notes a signal that this program listens to without node:process. */
export function noteHeard(signal: NodeJS.Signals): void {
  heard.push(signal);
  tell?.(signal);
}

/** From now on node:process knows of every such signal: libraries end the process at those that it has no listener for. */
export function tellNodeOfSignals(): void {
  tell = (signal) => void process.on(signal, () => {});
  for (const signal of heard.splice(0)) tell(signal);
}
