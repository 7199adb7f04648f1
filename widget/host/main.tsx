// Starts the demo's host page: a small Matrix client with the room's widget in it.
import { render } from 'preact';
import { readSettings } from './settings';
import { App } from './ui/app';
import '../src/ui/style/tokens.css';
import './style/index.css';

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no element with the id "root".');
const systemTheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
render(<App settings={readSettings(new URLSearchParams(location.search), systemTheme)} />, root);
