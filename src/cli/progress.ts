// A line of progress on the standard error, if it is a terminal, for work that takes more than a second.

const width = 24;
const delay = 1000;
const interval = 100;

/** The line is drawn over itself; `end` removes it. */
export interface Progress {
  /**
   * Sets the current work, and how much of it is done: 0 to 1, or null if that is not known. The line is drawn from time to time until
   * the next call.
   */
  show(what: string, done?: number | null): void;
  end(): void;
}

/** `stream`: where the line is drawn, if that is a terminal. */
export function startProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { show() {}, end() {} };
  const begin = performance.now();
  let last = begin + delay - interval;
  let drawn = false;
  let latest: readonly [what: string, done: number | null] | null = null;
  const draw = (): void => {
    const now = performance.now();
    if (latest === null || now - last < interval) return;
    last = now;
    drawn = true;
    stream.write(`\r\x1b[K${lineOf(...latest, (now - begin) / 1000)}`);
  };
  // During the reading of a file nothing calls `show`, so a timer draws.
  const timer = setInterval(draw, interval);
  timer.unref();
  return {
    show(what, done = null) {
      latest = [what, done];
      draw();
    },
    end() {
      clearInterval(timer);
      if (drawn) stream.write('\r\x1b[K');
      [drawn, latest] = [false, null];
    },
  };
}

/** `runs  ████████░░░░  67 %  3 s` */
export function lineOf(what: string, done: number | null, seconds: number): string {
  const time = `${seconds.toFixed(0)} s`;
  if (done === null) return `${what}  ${time}`;
  const part = Math.max(0, Math.min(1, done));
  const full = Math.round(part * width);
  return `${what}  ${'█'.repeat(full)}${'░'.repeat(width - full)}  ${Math.floor(100 * part)} %  ${time}`;
}
