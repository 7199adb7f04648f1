// Files that a camera named: when it took them, as far as their names say. Pure.

/** When something was taken, and what else its name says. */
export interface Taken {
  readonly date: Date;
  /** The time of day is known, not the day alone. */
  readonly timed: boolean;
  /** It shows what was on a screen. */
  readonly screen: boolean;
}

/** Longer ones are no camera's. */
const LONGEST = 100;
const SUFFIX = /\.[a-z][a-z0-9]{1,4}$/i;
const STAMP = new RegExp(
  [
    /^(?<maker>PXL|MVIMG|IMG|VID|MOV|DSC|PANO|AUD|PTT|REC|WIN|signal|video|photo|image|(?<screen>screen[ _-]?record(?:ing|er)|screencast(?: from)?|screenshot)|WhatsApp (?:Video|Image|Audio|Ptt))?[ _-]*/,
    /(?<year>(?:19|20)\d\d)[-_.]?(?<month>\d\d)[-_.]?(?<day>\d\d)/,
    /(?:(?: at |[ _T-])(?<hour>\d{1,2})[-_.:]?(?<minute>[0-5]\d)(?:[-_.:]?[0-5]\d\d{0,3})?(?:\s?(?<half>[AP])M)?)?/,
    /(?<rest>.*)$/,
  ].map(({ source }) => source).join(''),
  'i',
);
/** What cameras and chat apps put behind: a number, `~2`, `(1)`, `-WA0003`, `.TS`, `_HDR`. Each part begins by itself, so that the match is quick. */
const BEHIND = /^(?:[-_.~](?:WA)?\d{1,6}|[-_.~][A-Z]{2,9}| ?\(\d{1,3}\))*$/;
/** Recorders of the screen add the app that they recorded. */
const APP = /^[-_][\w .-]*$/;
/** A number of the camera's own, and what iOS makes of a video that it cuts: when it was taken is not in them. */
const NUMBERED = /^(?:(?:IMG|MVI|DSC|DSCN|DSCF|GOPR|GH\d\d|GX\d\d|DJI)_?\d{4,6}|trim\.[0-9A-F][0-9A-F-]{3,40}|(?<screen>RPReplay)_Final\d{6,12})$/i;

/** What the name of a file says, whether or not its suffix is there; null for what people wrote. `sent`: milliseconds since the epoch. */
export function takenOf(name: string, sent: number): Taken | null {
  if (name.length > LONGEST) return null;
  // A suffix may be missing: then what looks like one belongs to the name.
  return stamped(name) ?? numbered(name, sent) ?? (SUFFIX.test(name) ? stamped(name.replace(SUFFIX, '')) ?? numbered(name.replace(SUFFIX, ''), sent) : null);
}

function numbered(name: string, sent: number): Taken | null {
  const match = NUMBERED.exec(name);
  return match === null ? null : { date: new Date(sent), timed: true, screen: match.groups?.screen !== undefined };
}

function stamped(name: string): Taken | null {
  const found = STAMP.exec(name)?.groups;
  if (found === undefined) return null;
  const { maker, screen, year, month, day, hour, minute, half, rest = '' } = found;
  const timed = hour !== undefined;
  // A day alone may be a title; a chat app says that it named the file.
  const named = timed || (maker !== undefined && /^-WA\d/.test(rest));
  if (!named || !(BEHIND.test(rest) || (screen !== undefined && APP.test(rest)))) return null;
  const parts = [Number(year), Number(month) - 1, Number(day), hourOf(Number(hour ?? 12), half), Number(minute ?? 0)] as const;
  // Pixel phones write UTC; others write what the clock showed.
  const utc = maker?.toUpperCase() === 'PXL';
  const date = utc ? new Date(Date.UTC(...parts)) : new Date(...parts);
  const [read, readDay] = utc ? [date.getUTCHours(), date.getUTCDate()] : [date.getHours(), date.getDate()];
  // No such month, day or hour; where clocks were put forward there may be an hour less.
  if (readDay !== parts[2] || parts[1] > 11 || parts[3] > 23 || Math.abs(read - parts[3]) > 1) return null;
  return { date, timed, screen: screen !== undefined };
}

function hourOf(hour: number, half: string | undefined): number {
  if (half === undefined) return hour;
  return (hour % 12) + (half.toUpperCase() === 'P' ? 12 : 0);
}
