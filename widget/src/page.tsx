// Starts a member's public page: plain video elements become one player, where this browser can play so.
import { render } from 'preact';
import { fetchJson } from './api/http';
import { chooseLanguage } from './core/params';
import { loadPlayer } from './player/load';
import { PageVisit } from './visit/public';
import { MemberPage } from './ui/member-page';
import { texts } from './ui/catalogues';
import { LANGUAGES, Text } from './ui/text';
import { VisitContext } from './ui/visit';
import './ui/style/page.css';

const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
const data = document.getElementById('member')?.textContent;
const root = document.getElementById('reel');
if (data == null || root === null) throw new Error('The page lacks its data or its place.');

// Long pages come without: their script fetches all of it at once, and shows it piece by piece.
const reelData = async (): Promise<unknown> => {
  const given: unknown = JSON.parse(data);
  return given ?? (await fetchJson(`${location.pathname}/reel.json`)).json;
};

// Until all of it is there, and where it cannot be had, the plain elements stay.
const first = import('./ui/first');
const [member, { translate }, createPlayer, { Stage }] = await Promise.all([
  reelData(),
  texts(chooseLanguage([document.documentElement.lang], LANGUAGES)),
  loadPlayer(first),
  first,
]);
if (createPlayer !== null) {
  const visit = new PageVisit(member, createPlayer, !calm);
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
