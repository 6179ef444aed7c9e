/** Where lines go that are for a person who waits; null: nobody does. */
export interface Terminal {
  /** Characters of a line. */
  readonly columns: number;
  /** Prints. */
  write(text: string): void;
}

/** Standard error, if it is a terminal. */
export function defaultTerminal(): Terminal | null {
  const { process } = globalThis as { process?: { stderr?: Terminal & { isTTY?: boolean } } };
  const stream = process?.stderr;
  if (!stream?.isTTY) return null;
  return { columns: stream.columns || 80, write: (text) => void stream.write(text) };
}

/** 7 → 0:07, 3700 → 1:01:40. */
export function timeText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = `${h > 0 ? String(m).padStart(2, '0') : m}:${String(s).padStart(2, '0')}`;
  return h > 0 ? `${h}:${tail}` : tail;
}

/** Four digits that matter. */
export const numberText = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5) ? value.toExponential(2) : value.toFixed(4);

export interface Progress {
  readonly epoch: number;
  readonly epochs: number;
  /** Share of the epoch that is done, 0 … 1. */
  readonly done: number;
  readonly values: readonly (readonly [string, number])[];
  readonly secondsLeft: number;
}

const eighths = ' ▏▎▍▌▋▊▉█';

/** One line of at most `columns` characters; the bar takes what the numbers leave. */
export function progressLine({ epoch, epochs, done, values, secondsLeft }: Progress, columns: number): string {
  const width = String(epochs).length;
  const head = `epoch ${String(epoch).padStart(width)}/${epochs} `;
  const percent = ` ${String(Math.floor(done * 100)).padStart(3)} %`;
  const numbers = values.map(([name, value]) => `  ${name} ${numberText(value)}`).join('');
  const tail = `${percent}${numbers}  ${timeText(secondsLeft)} left`;
  const room = Math.min(30, columns - 1 - head.length - tail.length);
  if (room < 5) return `${head}${tail}`.slice(0, columns - 1);
  const filled = Math.floor(done * room * 8);
  const bar = '█'.repeat(filled >> 3) + (filled >> 3 < room ? eighths[filled & 7] : '');
  return `${head}${bar.padEnd(room)}${tail}`;
}

/** Draws progress in place, ten times a second at most, and finished lines above it. */
export class ProgressBar {
  static readonly name: string = 'ProgressBar';

  private readonly terminal: Terminal | null;
  private drawn = Number.NEGATIVE_INFINITY;

  constructor(terminal: Terminal | null) {
    this.terminal = terminal;
  }

  show(progress: () => Progress): void {
    const now = performance.now();
    if (this.terminal === null || now - this.drawn < 100) return;
    this.drawn = now;
    this.terminal.write(`\r\x1b[2K${progressLine(progress(), this.terminal.columns)}`);
  }

  line(text: string): void {
    this.terminal?.write(`\r\x1b[2K${text}\n`);
  }
}
