// Builds the widget's page: hashed assets and the manifest from which the server renders the template.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { FluentResource } from '@fluent/bundle';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** A catalogue as a file of its own, parsed, without the texts of the bot and of the server's pages, which no script shows. */
const catalogues: Plugin = {
  name: 'catalogues',
  enforce: 'pre',
  load(id) {
    const file = /^(.+\.ftl)\?catalogue$/.exec(id)?.[1];
    if (file === undefined) return null;
    const source = readFileSync(file, 'utf8').replace(/^(?:bot|page)-[\w-]+ =.*\n(?:[ \t}].*\n)*/gm, '');
    const { body } = new FluentResource(source);
    return `export default import.meta.ROLLUP_FILE_URL_${this.emitFile({ type: 'asset', name: `${basename(file, '.ftl')}.json`, source: JSON.stringify(body) })};`;
  },
};

/** Puts a compressed copy beside each text that is served (RFC 9110, 8.4.1): once here in place of at every request. */
const compressed: Plugin = {
  name: 'compressed',
  writeBundle({ dir = '' }, bundle) {
    for (const name of Object.keys(bundle).filter((each) => /^assets\/.+\.(?:js|css|json)$/.test(each))) {
      const file = join(dir, name);
      const source = readFileSync(file);
      writeFileSync(`${file}.br`, brotliCompressSync(source, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: source.length } }));
      writeFileSync(`${file}.gz`, gzipSync(source, { level: 9 }));
    }
  },
};

// Reels are fragmented MP4: a tenth of the first visit's bytes went to what takes MPEG-TS and bare audio apart.
const OTHER_FORMATS = /, \{\s+demux: (?:TS|AAC|MP3)Demuxer,\s+remux: MP4Remuxer\s+\}/g;
const PROBE = ' && TSDemuxer.probe(initSegmentData, this.logger)';

/** Takes the formats that are never served out of hls.js: what nothing refers to any more is shaken off. */
const fragmentedMp4Alone: Plugin = {
  name: 'fragmented-mp4-alone',
  transform(code, id) {
    if (!id.endsWith('/hls.light.mjs')) return null;
    if (code.match(OTHER_FORMATS)?.length !== 3 || !code.includes(PROBE)) this.error('hls.js names its formats otherwise now');
    return { code: code.replace(OTHER_FORMATS, '').replace(PROBE, ' && false'), map: null };
  },
};

export default defineConfig({
  base: '/widget/',
  plugins: [catalogues, fragmentedMp4Alone, compressed],
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
      input: ['src/main.tsx', 'src/page.tsx'],
      // What pages need at once and have in common is one file: many small ones compress worse.
      output: {
        codeSplitting: {
          groups: [
            { name: 'shared', tags: ['$initial'], minShareCount: 2, priority: 2 },
            // With what later parts use as well: by then it is there.
            { name: 'first', test: /\/src\/ui\/first\.ts$/, includeDependenciesRecursively: true, priority: 1 },
          ],
        },
      },
      treeshake: { moduleSideEffects: (id) => !id.includes('matrix-widget-api'), manualPureFunctions: ['console.log'] },
    },
  },
  // Without `css` every sheet is empty in tests, its text too.
  test: { include: ['src/**/*.test.ts'], environment: 'node', css: true },
});
