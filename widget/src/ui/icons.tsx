// The icons, drawn as strokes of one weight so that they read alike at every size.
import type { ComponentChildren } from 'preact';

export function Icon({ children, filled = false }: { children: ComponentChildren; filled?: boolean }) {
  return (
    <svg class={filled ? 'icon icon-filled' : 'icon'} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const PlayIcon = () => <Icon filled><path d="M8 5.3v13.4a.8.8 0 0 0 1.2.7l10.6-6.7a.8.8 0 0 0 0-1.4L9.2 4.6A.8.8 0 0 0 8 5.3Z" /></Icon>;
export const PauseIcon = () => <Icon filled><rect x="6.5" y="5" width="3.8" height="14" rx="1.2" /><rect x="13.7" y="5" width="3.8" height="14" rx="1.2" /></Icon>;
export const NextIcon = () => <Icon filled><path d="M6 6.4v11.2a.7.7 0 0 0 1.1.6l8.2-5.6a.7.7 0 0 0 0-1.2L7.1 5.8a.7.7 0 0 0-1.1.6Z" /><rect x="16.4" y="5.6" width="2.2" height="12.8" rx="1" /></Icon>;
export const PreviousIcon = () => <Icon filled><path d="M18 6.4v11.2a.7.7 0 0 1-1.1.6l-8.2-5.6a.7.7 0 0 1 0-1.2l8.2-5.6a.7.7 0 0 1 1.1.6Z" /><rect x="5.4" y="5.6" width="2.2" height="12.8" rx="1" /></Icon>;
export const BackIcon = () => <Icon><path d="M4.5 12a7.5 7.5 0 1 0 2.4-5.5M4.2 3.6v3.7h3.7" /><text x="12.2" y="15.2" class="icon-text">10</text></Icon>;
export const ForwardIcon = () => <Icon><path d="M19.5 12a7.5 7.5 0 1 1-2.4-5.5M19.8 3.6v3.7h-3.7" /><text x="11.8" y="15.2" class="icon-text">10</text></Icon>;
export const SoundIcon = () => <Icon><path d="M4.5 9.6v4.8h3.2l4.3 3.7V5.9L7.7 9.6H4.5Z" /><path d="M15.4 9a4.2 4.2 0 0 1 0 6M17.9 6.6a7.6 7.6 0 0 1 0 10.8" /></Icon>;
export const MutedIcon = () => <Icon><path d="M4.5 9.6v4.8h3.2l4.3 3.7V5.9L7.7 9.6H4.5Z" /><path d="m15.5 9.7 4.6 4.6m0-4.6-4.6 4.6" /></Icon>;
export const FullscreenIcon = () => <Icon><path d="M4.5 9V5.5a1 1 0 0 1 1-1H9M15 4.5h3.5a1 1 0 0 1 1 1V9M19.5 15v3.5a1 1 0 0 1-1 1H15M9 19.5H5.5a1 1 0 0 1-1-1V15" /></Icon>;
export const LeaveFullscreenIcon = () => <Icon><path d="M9 4.5V8a1 1 0 0 1-1 1H4.5M19.5 9H16a1 1 0 0 1-1-1V4.5M15 19.5V16a1 1 0 0 1 1-1h3.5M4.5 15H8a1 1 0 0 1 1 1v3.5" /></Icon>;
export const FloatIcon = () => <Icon><path d="M11 18.5H5a1.5 1.5 0 0 1-1.5-1.5V7A1.5 1.5 0 0 1 5 5.5h14A1.5 1.5 0 0 1 20.5 7v4" /><rect x="13" y="13" width="8" height="6" rx="1.2" class="icon-solid" /></Icon>;
export const CaptionsIcon = () => <Icon><rect x="3.5" y="5.5" width="17" height="13" rx="2.5" /><path d="M10.4 10.4a2 2 0 1 0 0 3.2M16.6 10.4a2 2 0 1 0 0 3.2" /></Icon>;
export const GearIcon = () => <Icon><circle cx="12" cy="12" r="2.8" /><path d="M12 3.8v2.4M12 17.8v2.4M3.8 12h2.4M17.8 12h2.4M6.2 6.2l1.7 1.7M16.1 16.1l1.7 1.7M17.8 6.2l-1.7 1.7M7.9 16.1l-1.7 1.7" /><circle cx="12" cy="12" r="5.8" /></Icon>;
export const MicIcon = () => <Icon><rect x="9" y="3.8" width="6" height="10.4" rx="3" /><path d="M5.8 11.5a6.2 6.2 0 0 0 12.4 0M12 17.7v2.8" /></Icon>;
export const PhotoIcon = () => <Icon><rect x="3.5" y="5" width="17" height="14" rx="2.5" /><circle cx="9" cy="10" r="1.6" /><path d="m6 18.5 5.2-5.2 2.6 2.6 2.2-2.2 4 4" /></Icon>;
export const CheckIcon = () => <Icon><path d="m5.5 12.5 4.2 4.2 8.8-9.4" /></Icon>;
export const CloseIcon = () => <Icon><path d="m6.5 6.5 11 11m0-11-11 11" /></Icon>;
export const BackArrowIcon = () => <Icon><path d="M14.5 6.5 9 12l5.5 5.5" /></Icon>;
export const BeyondIcon = () => <Icon><path d="m9.5 6.5 5.5 5.5-5.5 5.5" /></Icon>;
export const EveryoneIcon = () => <Icon><circle cx="9" cy="9" r="3.2" /><path d="M3.5 18.5c.5-3 2.7-4.7 5.5-4.7s5 1.7 5.5 4.7M15.4 6.2a3 3 0 0 1 0 5.7M17.2 14.3c1.9.6 3 2.1 3.3 4.2" /></Icon>;
export const InTurnIcon = () => <Icon><path d="M5 10.5V9a3 3 0 0 1 3-3h10M15.5 3.5 18 6l-2.5 2.5M19 13.5V15a3 3 0 0 1-3 3H6M8.5 20.5 6 18l2.5-2.5" /></Icon>;
export const SeveralIcon = () => <Icon><circle cx="9.5" cy="12" r="5" /><path d="M14 7.3a5 5 0 1 1 0 9.4" /></Icon>;
export const FilmIcon = () => <Icon><rect x="3.5" y="5.5" width="17" height="13" rx="2.5" /><path d="M10.3 9.4v5.2l4.3-2.6-4.3-2.6Z" /></Icon>;
export const HiddenIcon = () => <Icon><path d="M9.9 6.3A9 9 0 0 1 12 6c4.4 0 7.3 3.4 8.5 6a12 12 0 0 1-2.4 3.3M6.4 8.2A12 12 0 0 0 3.5 12c1.2 2.6 4.1 6 8.5 6a9 9 0 0 0 3.9-.9M4.5 4.5l15 15" /><path d="M10.2 10.2a2.5 2.5 0 0 0 3.6 3.6" /></Icon>;
export const ClockIcon = () => <Icon><circle cx="12" cy="12" r="7.5" /><path d="M12 7.8V12l2.8 1.8" /></Icon>;
export const WarningIcon = () => <Icon><path d="M12 4.6 20.4 19H3.6L12 4.6ZM12 10v4.2M12 16.6v.1" /></Icon>;
export const CloudOffIcon = () => <Icon><path d="M7.5 18.5h9.7a3.8 3.8 0 0 0 1-7.4 6.2 6.2 0 0 0-9.4-3.7M6.6 9.4a4.6 4.6 0 0 0 .9 9.1M4 4l16 16" /></Icon>;
export const PersonIcon = () => <Icon><circle cx="12" cy="8.6" r="3.6" /><path d="M5 19.5c.7-3.6 3.4-5.5 7-5.5s6.3 1.9 7 5.5" /></Icon>;
export const CameraIcon = () => <Icon><rect x="3.5" y="6.5" width="11.5" height="11" rx="2.5" /><path d="m15 10.6 5.5-3v8.8l-5.5-3" /></Icon>;
export const TalkIcon = () => <Icon><path d="M5.5 5h13a2 2 0 0 1 2 2v7.5a2 2 0 0 1-2 2H12l-4.3 3.3v-3.3H5.5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2ZM8 9.2h8M8 12.6h5" /></Icon>;
export const ReactIcon = () => <Icon><path d="M13.8 4.7a7.6 7.6 0 1 0 5.5 5.6M8.9 13.6c.6 1.3 1.7 2 3.1 2s2.5-.7 3.1-2M9.4 9.8v.2M14.6 9.8v.2M18.6 2.9v5.4M15.9 5.6h5.4" /></Icon>;
export const SendIcon = () => <Icon><path d="m5.4 12-1.3-6.2c-.1-.7.5-1.2 1.1-.9l14.6 6.5c.5.3.5 1 0 1.3L5.2 19.1c-.6.3-1.2-.2-1.1-.9L5.4 12Zm0 0h6.6" /></Icon>;
export const OverPictureIcon = () => <Icon><rect x="3.5" y="5" width="17" height="14" rx="2.5" /><path d="M7 12.5h7.5a1 1 0 0 1 1 1v1.4a1 1 0 0 1-1 1H7Z" /></Icon>;
export const MoreIcon = () => <Icon filled><circle cx="12" cy="5.6" r="1.7" /><circle cx="12" cy="12" r="1.7" /><circle cx="12" cy="18.4" r="1.7" /></Icon>;
export const GripIcon = () => <Icon filled><circle cx="9.2" cy="6.5" r="1.4" /><circle cx="14.8" cy="6.5" r="1.4" /><circle cx="9.2" cy="12" r="1.4" /><circle cx="14.8" cy="12" r="1.4" /><circle cx="9.2" cy="17.5" r="1.4" /><circle cx="14.8" cy="17.5" r="1.4" /></Icon>;
export const SearchIcon = () => <Icon><circle cx="10.8" cy="10.8" r="5.8" /><path d="m15.2 15.2 4.3 4.3" /></Icon>;
