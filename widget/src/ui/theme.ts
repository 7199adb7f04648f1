// Light or dark: the client's word, else the system's.
import type { Theme } from '../core/params';

export function applyTheme(theme: Theme | null): void {
  if (theme === null) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
