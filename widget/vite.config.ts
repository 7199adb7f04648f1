// Builds the widget's page: hashed assets and the manifest from which the server renders the template.
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** The bot's texts share the catalogues but never show in the browser. */
const withoutBotTexts: Plugin = {
  name: 'without-bot-texts',
  enforce: 'pre',
  transform(code, id) {
    if (!id.includes('.ftl')) return null;
    return { code: code.replace(/(?:\\n|")bot-[\w-]+ = .*?(?=\\n[\w#-]|"$)/g, ''), map: null };
  },
};

export default defineConfig({
  base: '/widget/',
  plugins: [withoutBotTexts],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: {
    alias: {
      // The published CommonJS holds the host's half too and cannot be shaken: 22 kB instead of 7.
      'matrix-widget-api': fileURLToPath(new URL('node_modules/matrix-widget-api/src/index.ts', import.meta.url)),
    },
  },
  build: {
    outDir: 'dist/app',
    manifest: true,
    target: 'es2022',
    // Every browser that plays fMP4 preloads modules by itself.
    modulePreload: { polyfill: false },
    // Small images as data: URLs would escape the cache by hash.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: 'src/main.tsx',
      treeshake: { moduleSideEffects: (id) => !id.includes('matrix-widget-api') },
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
