// Starts a member's public page: plain video elements become one player, where this browser can play so.
import { render } from 'preact';
import { chooseLanguage } from './core/params';
import { loadPlayer } from './player/load';
import { PageVisit } from './public-visit';
import { MemberPage } from './ui/member-page';
import { translator } from './ui/catalogues';
import { LANGUAGES, Text } from './ui/text';
import { VisitContext } from './ui/visit';
import './ui/style/page.css';

const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
const data = document.getElementById('member')?.textContent;
const root = document.getElementById('reel');
if (data == null || root === null) throw new Error('The page lacks its data or its place.');

// Until all of it is there, and where it cannot be had, the plain elements stay.
const [translate, createPlayer, { Stage }] = await Promise.all([
  translator(chooseLanguage([document.documentElement.lang], LANGUAGES)),
  loadPlayer(),
  import('./ui/stage'),
]);
if (createPlayer !== null) {
  const visit = new PageVisit(JSON.parse(data), createPlayer, !calm);
  root.replaceChildren();
  render(
    <Text.Provider value={translate}>
      <VisitContext.Provider value={visit}>
        <MemberPage visit={visit} Stage={Stage} />
      </VisitContext.Provider>
    </Text.Provider>,
    root,
  );
  visit.start(location.hash.slice(1));
  document.documentElement.dataset.enhanced = '';
}
