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
}

export function Slider({ className, label, valueText, value, max, step, reach = max, onValue }: SliderProps) {
  const shareOf = (part: number): number => (max > 0 ? Math.min(1, part / max) : 0);
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
      onInput={(event) => onValue(event.currentTarget.valueAsNumber)}
    />
  );
}
