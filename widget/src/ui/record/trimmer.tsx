// Two thumbs on one range: the part that is kept. Native ranges, one above the other, for hands, keys and screen readers.
import { clock, split } from '../../core/format';
import type { Trim } from '../../core/recording/model';
import { useText } from '../text';

interface TrimmerProps {
  trim: Trim;
  /** Seconds. */
  duration: number;
  position: number;
  onTrim: (edge: keyof Trim, at: number) => void;
}

/** `0:07.3`: cuts are finer than seconds. */
function fine(seconds: number): string {
  const tenths = Math.round(seconds * 10);
  return `${clock(Math.floor(tenths / 10))}.${tenths % 10}`;
}

export function Trimmer({ trim, duration, position, onTrim }: TrimmerProps) {
  const t = useText();
  const spoken = (seconds: number): string => {
    const { hours, minutes, rest } = split(seconds);
    return t('widget-spoken-time', { hours, minutes, seconds: rest + Math.round((seconds % 1) * 10) / 10 });
  };
  const range = (edge: keyof Trim, label: string) => (
    <input
      type="range"
      class={`trim-range trim-${edge}`}
      data-testid={`trim-${edge}`}
      aria-label={label}
      aria-valuetext={spoken(trim[edge])}
      min={0}
      max={duration}
      step={0.1}
      value={trim[edge]}
      onInput={({ currentTarget }) => {
        onTrim(edge, currentTarget.valueAsNumber);
        // Held back by the other thumb, it stays where it may be.
        currentTarget.value = String(trim[edge]);
      }}
    />
  );
  const place = { '--from': trim.start / duration, '--to': trim.end / duration, '--at': Math.min(1, position / duration) };
  return (
    <fieldset class="trimmer" data-testid="trimmer">
      <legend>{t('widget-record-trim')}</legend>
      <div class="trim-track" style={place}>
        <span class="trim-part" />
        <span class="trim-at" />
        {range('start', t('widget-record-trim-start'))}
        {range('end', t('widget-record-trim-end'))}
      </div>
      <p class="trim-times" aria-hidden="true">
        <span data-testid="trim-start-time">{fine(trim.start)}</span>
        <span>{t('widget-record-trim-length', { length: fine(trim.end - trim.start) })}</span>
        <span data-testid="trim-end-time">{fine(trim.end)}</span>
      </p>
    </fieldset>
  );
}
