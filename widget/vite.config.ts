// Builds the widget's page: hashed assets and the manifest from which the server renders the template.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  base: '/widget/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist/app',
    manifest: true,
    target: 'es2022',
    // No polyfill: it would be an inline-evaluated helper in every entry, and every target browser preloads modules.
    modulePreload: { polyfill: false },
    // Small images as data: URLs would need an exception in the policy of a page that has none.
    assetsInlineLimit: 0,
    rolldownOptions: { input: 'src/main.tsx' },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
