// Starts the page: reads its address, puts the parts together and shows them.
import { render } from 'preact';
import { chooseLanguage, readParams } from './core/params';
import { watchTile } from './player/floating-tile';
import { RoomVisit } from './visit/room';
import { App } from './ui/app';
import { texts } from './ui/catalogues';
import { DIRECTIONS, LANGUAGES, Text, type Language } from './ui/text';
import { applyTheme } from './ui/theme';
import { VisitContext } from './ui/visit';
import './ui/style/index.css';

const query = new URLSearchParams(location.search);
const params = readParams((name) => query.get(name));
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
const root = document.getElementById('root');
if (root === null) throw new Error('The page has no element with the id "root".');

let language = chooseLanguage([params.language, ...navigator.languages], LANGUAGES);

/** Says in which language the page is. */
function speak(now: Language): void {
  document.documentElement.lang = now;
  document.documentElement.dir = DIRECTIONS[now];
}

/** Shows the page in a language, the first time or anew; the last wish counts. */
async function show(into: HTMLElement, wish: Language): Promise<void> {
  language = wish;
  const found = await texts(wish);
  if (language !== wish) return;
  const { translate } = found;
  speak(found.language);
  document.title = translate('widget-title');
  render(
    <Text.Provider value={translate}>
      <VisitContext.Provider value={visit}>
        <App />
      </VisitContext.Provider>
    </Text.Provider>,
    into,
  );
}

speak(language);
applyTheme(params.theme, params.contrast);
watchTile();

const visit = new RoomVisit(params, { onTheme: applyTheme, onLanguage: (wish) => void show(root, chooseLanguage([wish, language], LANGUAGES)) }, !calm, () => import('./ui/first'));
void visit.start();
await show(root, language);
