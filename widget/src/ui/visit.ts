// The visit around the components.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Visit } from '../visit/visit';

export const VisitContext = createContext<Visit | null>(null);

export function useVisit(): Visit {
  const visit = useContext(VisitContext);
  if (visit === null) throw new Error('There is no visit around this part of the page.');
  return visit;
}
