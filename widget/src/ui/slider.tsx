// A range that looks the same in every browser and is still a native one for hands, keys and screen readers.
interface SliderProps {
  className: string;
  label: string;
  valueText: string;
  value: number;
  max: number;
  step: number;
  /** As far as there is something to go to; all of it when absent. */
  reach?: number;
  onValue: (value: number) => void;
  /** Hears the value under the pointer, under a finger or of the focused range; null when nobody points at any. */
  onPoint?: (value: number | null) => void;
}

/** Pixels of the thumb, whose middle stands for the value. */
const THUMB = 14;

export function Slider({ className, label, valueText, value, max, step, reach = max, onValue, onPoint }: SliderProps) {
  const shareOf = (part: number): number => (max > 0 ? Math.min(1, part / max) : 0);
  const pointed = ({ currentTarget, clientX }: { currentTarget: HTMLInputElement; clientX: number }): void => {
    const { left, width } = currentTarget.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (clientX - left - THUMB / 2) / Math.max(1, width - THUMB)));
    onPoint?.((getComputedStyle(currentTarget).direction === 'rtl' ? 1 - share : share) * max);
  };
  const seen = (input: HTMLInputElement): number | null => (input.matches(':focus-visible') ? input.valueAsNumber : null);
  return (
    <input
      type="range"
      class={`slider ${className}`}
      aria-label={label}
      aria-valuetext={valueText}
      min={0}
      max={max}
      step={step}
      value={value}
      style={{ '--share': shareOf(value), '--reach': shareOf(reach) }}
      onInput={(event) => {
        onValue(event.currentTarget.valueAsNumber);
        onPoint?.(event.currentTarget.valueAsNumber);
      }}
      onPointerDown={pointed}
      onPointerMove={pointed}
      onPointerUp={({ currentTarget, pointerType }) => pointerType !== 'mouse' && onPoint?.(seen(currentTarget))}
      onPointerCancel={() => onPoint?.(null)}
      onPointerLeave={({ currentTarget }) => onPoint?.(seen(currentTarget))}
      onFocus={({ currentTarget }) => onPoint?.(seen(currentTarget))}
      onBlur={() => onPoint?.(null)}
    />
  );
}
