import { expect, it } from 'vitest';

const styles = import.meta.glob<string>(['./**/*.css', '../../host/**/*.css'], { query: '?raw', import: 'default', eager: true });
const withoutComments = (css: string): string => css.replace(/\/\*.*?\*\//gs, '');

it.each(Object.entries(styles))('%s is right whatever way the page is written', (_, css) => {
  const rules = withoutComments(css);
  // For older browsers the build would replace it by a list of languages.
  expect(rules).not.toContain(':dir(');
  expect(rules.match(/(margin|padding|border)-(left|right)|[;{]\s*(left|right|text-align: (left|right))\s*:/g)).toBeNull();
});

it('names no class in two sheets that are loaded late', () => {
  // What is loaded stays: the one would change the looks of the other, once both were open.
  const sheets = Object.entries(styles).filter(([path]) => !path.startsWith('./style/') && !path.includes('/host/'));
  const owners = new Map<string, Set<string>>();
  for (const [path, css] of sheets) {
    for (const [, name = ''] of withoutComments(css).matchAll(/(?<=^|[},{])\s*\.([a-z-]+)\s*(?=[,{])/g)) owners.set(name, (owners.get(name) ?? new Set()).add(path));
  }
  expect(owners.size).toBeGreaterThan(50);
  expect([...owners].filter(([, paths]) => paths.size > 1).map(([name]) => name)).toEqual([]);
});
