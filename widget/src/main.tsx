// Starts the page: reads its address, puts the parts together and shows them.
import { render } from 'preact';
import { chooseLanguage, readParams } from './core/params';
import { watchTile } from './player/elsewhere';
import { RoomVisit } from './room';
import { App } from './ui/app';
import { translator } from './ui/catalogues';
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

/** Shows the page in a language, the first time or anew; the last wish counts. */
async function show(into: HTMLElement, wish: Language): Promise<void> {
  language = wish;
  const translate = await translator(wish);
  if (language !== wish) return;
  document.documentElement.lang = wish;
  document.documentElement.dir = DIRECTIONS[wish];
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

document.documentElement.lang = language;
document.documentElement.dir = DIRECTIONS[language];
applyTheme(params.theme, params.contrast);
watchTile();

const visit = new RoomVisit(params, { onTheme: applyTheme, onLanguage: (wish) => void show(root, chooseLanguage([wish, language], LANGUAGES)) }, !calm);
void visit.start();
await show(root, language);
