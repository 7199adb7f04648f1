// Lint rules for all TypeScript of the widget and of the test host.
import js from '@eslint/js';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** The folders of `src` from the bottom up: each may import those before it, and itself. */
const LAYERS = [['core'], ['browser'], ['api'], ['matrix', 'player'], ['record', 'talk'], ['visit'], ['ui']];

/** For each layer, whatever lies beside or above it; `main.tsx` and `page.tsx`, which put all together, nobody imports. */
const zones = LAYERS.flatMap((layer, index) => layer.map((folder) => ({
  target: `./src/${folder}`,
  from: './src',
  except: [...LAYERS.slice(0, index).flat(), folder].map((each) => `./${each}`),
  message: `${folder}/ lies below it: move what both need down.`,
})));

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**'] },
  js.configs.recommended,
  {
    files: ['src/**/*.{ts,tsx}', 'host/**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // Numbers in template strings are how URLs and labels are written here.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A one-line arrow that calls something is the plainest event handler; `return act();` the plainest early end.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}', 'host/**/*.{ts,tsx}'],
    plugins: { 'import-x': importX },
    settings: {
      'import-x/extensions': ['.ts', '.tsx'],
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.tsx', '.js', '.json'] })],
    },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones: [
        ...zones,
        { target: './host', from: './src', except: ['./core', './ui/use-store.ts', './ui/style/tokens.css'], message: 'The demo is a host of its own: it shares the pure core, the hook for stores and the colours alone.' },
        { target: './src', from: './host', message: 'The widget knows nothing of the demo.' },
      ] }],
    },
  },
  {
    files: ['*.ts'],
    extends: [tseslint.configs.strict],
    languageOptions: { globals: globals.node },
  },
  { files: ['*.js'], languageOptions: { globals: globals.node } },
);
