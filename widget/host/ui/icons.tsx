// The page's few icons, strokes of one weight.
import type { ComponentChildren } from 'preact';

const Icon = ({ children }: { children: ComponentChildren }) => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{children}</svg>
);

export const SunIcon = () => <Icon><circle cx="12" cy="12" r="3.8" /><path d="M12 3.5v2M12 18.5v2M3.5 12h2M18.5 12h2M6 6l1.4 1.4M16.6 16.6 18 18M18 6l-1.4 1.4M7.4 16.6 6 18" /></Icon>;
export const MoonIcon = () => <Icon><path d="M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7Z" /></Icon>;
export const LeaveIcon = () => <Icon><path d="M14 4.5H6.5a1 1 0 0 0-1 1v13a1 1 0 0 0 1 1H14M10.5 12h9M16 8.5l3.5 3.5-3.5 3.5" /></Icon>;
export const ClipIcon = () => <Icon><path d="m19.5 11.6-7.3 7.3a4.6 4.6 0 0 1-6.5-6.5l7.6-7.6a3.1 3.1 0 0 1 4.4 4.4l-7.4 7.4a1.6 1.6 0 0 1-2.3-2.3l6.8-6.8" /></Icon>;
export const SendIcon = () => <Icon><path d="M4.5 5.2 20 12 4.5 18.8l1.6-6.8-1.6-6.8ZM6.1 12H13" /></Icon>;
export const VideoIcon = () => <Icon><rect x="3.5" y="5.5" width="17" height="13" rx="2.5" /><path d="M10.3 9.4v5.2l4.3-2.6-4.3-2.6Z" /></Icon>;
export const FileIcon = () => <Icon><path d="M13.5 3.5H7a1.5 1.5 0 0 0-1.5 1.5v14A1.5 1.5 0 0 0 7 20.5h10a1.5 1.5 0 0 0 1.5-1.5V8.5l-5-5ZM13.5 3.5v5h5" /></Icon>;
export const ThreadIcon = () => <Icon><path d="M6 5v7a3 3 0 0 0 3 3h9M14.5 11.5 18 15l-3.5 3.5" /></Icon>;
export const ReloadIcon = () => <Icon><path d="M18.5 8.5A7.5 7.5 0 1 0 19.5 12M19 4v4.7h-4.7" /></Icon>;
export const RoomsIcon = () => <Icon><path d="M4.5 12.5h8M4.5 8h11M4.5 17h5M15.5 13l4 4-4 4" /></Icon>;
