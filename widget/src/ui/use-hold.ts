// Distinguishes a press from a hold: what is held acts while it is held, and its release is no click.
import { useEffect, useRef } from 'preact/hooks';

/** Milliseconds after which a press is a hold. */
const HELD = 450;

interface HoldHandlers {
  onPointerDown: (event: PointerEvent) => void;
  onPointerUp: () => void;
  onPointerCancel: () => void;
  onPointerLeave: () => void;
  onContextMenu: (event: Event) => void;
}

/** `begin` returns what ends it. `wasHeld` is true for the click that follows a hold, once. */
export function useHold(begin: () => () => void): { handlers: HoldHandlers; wasHeld: () => boolean } {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const end = useRef<(() => void) | null>(null);
  const held = useRef(false);
  const release = (): void => {
    clearTimeout(timer.current);
    end.current?.();
    end.current = null;
  };
  useEffect(() => release, []);
  const press = (event: PointerEvent): void => {
    held.current = false;
    if (event.button !== 0) return;
    timer.current = setTimeout(() => {
      held.current = true;
      end.current = begin();
    }, HELD);
  };
  const wasHeld = (): boolean => {
    const was = held.current;
    held.current = false;
    return was;
  };
  // A finger that rests would open the browser's menu.
  const calm = (event: Event): void => {
    if (held.current) event.preventDefault();
  };
  return { handlers: { onPointerDown: press, onPointerUp: release, onPointerCancel: release, onPointerLeave: release, onContextMenu: calm }, wasHeld };
}
