// Reads WebVTT (W3C) as far as captions and storyboards need it: times, settings and payloads of the cues.

export interface Cue {
  /** Seconds. */
  readonly start: number;
  readonly end: number;
  /** `line`, `position`, `size`, `align`, … as they are written. */
  readonly settings: ReadonlyMap<string, string>;
  /** May hold WebVTT's own tags. */
  readonly text: string;
}

const TIMING = /^\s*(\S+)\s+-->\s+(\S+)(.*)$/;
const TIME = /^(?:(\d{2,}):)?([0-5]\d):([0-5]\d)[.,](\d{3})$/;

/** The cues in the order of the file; what is malformed, a comment or a style is left out. */
export function cuesOf(file: string): Cue[] {
  const blocks = file.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n').split(/\n{2,}/);
  return blocks.flatMap((block) => cueOf(block.split('\n')) ?? []);
}

function cueOf(lines: readonly string[]): Cue | null {
  const index = lines.findIndex((line) => line.includes('-->'));
  const [, from, to, settings] = TIMING.exec(lines[index] ?? '') ?? [];
  const [start, end] = [seconds(from), seconds(to)];
  const text = lines.slice(index + 1).join('\n').trim();
  if (start === null || end === null || end <= start || text === '') return null;
  return { start, end, text, settings: settingsOf(settings ?? '') };
}

function seconds(time: string | undefined): number | null {
  const found = TIME.exec(time ?? '');
  if (found === null) return null;
  const [, hours = '0', minutes, rest, milliseconds] = found;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(rest) + Number(milliseconds) / 1000;
}

function settingsOf(text: string): Map<string, string> {
  const pairs = text.split(/\s+/).map((setting) => setting.split(/:(.*)/));
  return new Map(pairs.flatMap(([name, value]) => (name && value ? [[name, value]] : [])));
}
