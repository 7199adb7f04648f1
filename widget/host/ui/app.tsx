// The page: signing in first, then the room.
import { useEffect, useState } from 'preact/hooks';
import { localpart } from '../../src/core/format';
import type { Theme } from '../../src/core/params';
import { loadDemo, type Demo, type DemoUser } from '../matrix/demo';
import { withSetting, type Language, type Settings } from '../settings';
import { Visit } from '../visit';
import { RoomPage } from './room-page';
import { SignIn } from './sign-in';

function putIntoAddress(name: 'user' | 'theme' | 'lang', value: string | null): void {
  const query = withSetting(new URLSearchParams(location.search), name, value).toString();
  history.replaceState(null, '', query === '' ? location.pathname : `?${query}`);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function App({ settings }: { settings: Settings }) {
  const [theme, setTheme] = useState(settings.theme);
  const [language, setLanguage] = useState(settings.language);
  const [demo, setDemo] = useState<Demo | null>(null);
  const [visit, setVisit] = useState<Visit | null>(null);
  const [busy, setBusy] = useState<string | null>(settings.user);
  const [error, setError] = useState<string | null>(null);

  const signIn = async (where: Demo, user: DemoUser): Promise<void> => {
    setBusy(localpart(user.user_id));
    setError(null);
    try {
      const started = await Visit.start(where, user, settings.room);
      putIntoAddress('user', localpart(user.user_id));
      setVisit(started);
    } catch (problem) {
      setError(messageOf(problem));
    }
    setBusy(null);
  };

  useEffect(() => {
    void (async () => {
      try {
        const found = await loadDemo();
        setDemo(found);
        const user = found.users.find(({ user_id: id }) => localpart(id) === settings.user);
        if (user !== undefined) await signIn(found, user);
        else setBusy(null);
      } catch (problem) {
        setBusy(null);
        setError(messageOf(problem));
      }
    })();
  }, []);

  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);

  const changeTheme = (next: Theme): void => {
    putIntoAddress('theme', next);
    setTheme(next);
  };
  const changeLanguage = (next: Language): void => {
    putIntoAddress('lang', next);
    setLanguage(next);
  };
  const leave = (): void => {
    visit?.end();
    putIntoAddress('user', null);
    setVisit(null);
  };

  if (visit === null) return <SignIn demo={demo} busy={busy} error={error} onChoose={(where, user) => void signIn(where, user)} />;
  const choices = { theme, language, onTheme: changeTheme, onLanguage: changeLanguage, onLeave: leave };
  return <RoomPage visit={visit} settings={settings} {...choices} />;
}
