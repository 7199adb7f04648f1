// Builds the demo's host page: a small Matrix client around the widget, plain files with an index.html.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const inWidget = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: inWidget('host'),
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: inWidget('dist/host'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // The page's policy allows no data: URLs except for images.
    assetsInlineLimit: 0,
  },
});
