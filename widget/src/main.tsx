// Starts the page: reads its address, puts the parts together and shows them.
import { render } from 'preact';
import { chooseLanguage, readParams } from './core/params';
import { RoomVisit } from './room';
import { App } from './ui/app';
import { LANGUAGES, Text, translator } from './ui/text';
import { applyTheme } from './ui/theme';
import './ui/style/index.css';

const query = new URLSearchParams(location.search);
const params = readParams((name) => query.get(name));
const language = chooseLanguage([params.language, ...navigator.languages], LANGUAGES);
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;

document.documentElement.lang = language;
applyTheme(params.theme);

const visit = new RoomVisit(params, applyTheme, !calm);
void visit.start();

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no element with the id "root".');
const translate = await translator(language);
document.title = translate('widget-title');
render(
  <Text.Provider value={translate}>
    <App store={visit.state} player={visit.player} actions={visit} />
  </Text.Provider>,
  root,
);
