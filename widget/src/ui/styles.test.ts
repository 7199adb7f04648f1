import { expect, it } from 'vitest';

const styles = import.meta.glob<string>(['./**/*.css', '../../host/**/*.css'], { query: '?raw', import: 'default', eager: true });
const withoutComments = (css: string): string => css.replace(/\/\*.*?\*\//gs, '');

it.each(Object.entries(styles))('%s is right whatever way the page is written', (_, css) => {
  const rules = withoutComments(css);
  // For older browsers the build would replace it by a list of languages.
  expect(rules).not.toContain(':dir(');
  expect(rules.match(/(margin|padding|border)-(left|right)|[;{]\s*(left|right|text-align: (left|right))\s*:/g)).toBeNull();
});
