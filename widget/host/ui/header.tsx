// The room's name, the theme and language switches, and who is signed in.
import type { Theme } from '../../src/core/params';
import icon from '../icon.svg';
import { isLanguage, type Language } from '../settings';
import { Avatar } from './avatar';
import { LeaveIcon, MoonIcon, ReloadIcon, RoomsIcon, SunIcon } from './icons';

export interface HeaderChoices {
  readonly theme: Theme;
  readonly language: Language;
  readonly onTheme: (theme: Theme) => void;
  readonly onLanguage: (language: Language) => void;
  readonly onLeave: () => void;
  /** Another room is shown. */
  readonly away: boolean;
  readonly onAway: (away: boolean) => void;
  /** Loads the widget's frame anew. */
  readonly onReload: () => void;
}

interface HeaderProps extends HeaderChoices {
  readonly title: string;
  readonly userId: string;
  readonly userName: string;
}

export function Header({ title, userId, userName, theme, language, away, onTheme, onLanguage, onLeave, onAway, onReload }: HeaderProps) {
  const other = theme === 'dark' ? 'light' : 'dark';
  return (
    <header class="header">
      <img class="header-mark" src={icon} alt="" width="28" height="28" />
      <h1 class="header-title">{title}</h1>
      <button type="button" class="icon-button" data-testid="reload-widget" aria-label="Load the widget again" title="Load the widget again" onClick={onReload}>
        <ReloadIcon />
      </button>
      <button type="button" class="icon-button" data-testid="visit" aria-label={away ? 'Back to the room' : 'To another room'} title={away ? 'Back to the room' : 'To another room'} aria-pressed={away} onClick={() => onAway(!away)}>
        <RoomsIcon />
      </button>
      <select
        class="header-language"
        aria-label="Language of the widget"
        data-testid="language"
        value={language}
        onChange={({ currentTarget: { value } }) => {
          if (isLanguage(value)) onLanguage(value);
        }}
      >
        <option value="en" aria-label="English">EN</option>
        <option value="zh">简体中文</option>
        <option value="zh-TW">繁體中文</option>
      </select>
      <button type="button" class="icon-button" data-testid="theme" aria-label={`Switch to the ${other} theme`} title={`Switch to the ${other} theme`} onClick={() => onTheme(other)}>
        {theme === 'dark' ? <SunIcon /> : <MoonIcon />}
      </button>
      <span class="header-user" data-testid="user">
        <Avatar userId={userId} name={userName} small />
        <span class="header-name">{userName}</span>
      </span>
      <button type="button" class="icon-button" data-testid="sign-out" aria-label="Sign out" title="Sign out" onClick={onLeave}>
        <LeaveIcon />
      </button>
    </header>
  );
}
