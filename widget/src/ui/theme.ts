// Light or dark, and how much contrast: the client's word, else the system's.
import type { Theme } from '../core/params';

export function applyTheme(theme: Theme | null, contrast: boolean): void {
  const { dataset } = document.documentElement;
  if (theme === null) delete dataset.theme;
  else dataset.theme = theme;
  if (contrast) dataset.contrast = 'more';
  else delete dataset.contrast;
}
