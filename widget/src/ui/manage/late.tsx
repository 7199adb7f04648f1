// Loads the managing part once the video is there, or on request.
import { useEffect, useState } from 'preact/hooks';
import { lazy } from '../lazy';
import { useStore } from '../use-store';
import { menuOf, reviewing } from './list-state';

/** Milliseconds after the list's arrival. */
const LATER = 1_500;

const Layer = lazy(() => import('./layer').then((module) => module.ManageLayer));

export function Managing() {
  const menu = useStore(menuOf, (open) => open !== null);
  const review = useStore(reviewing, (open) => open !== null);
  const asked = menu || review;
  const [wanted, setWanted] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setWanted(true), asked ? 0 : LATER);
    return () => clearTimeout(timer);
  }, [asked]);
  return wanted || asked ? <Layer /> : null;
}
