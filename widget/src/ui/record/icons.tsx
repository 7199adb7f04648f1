// Icons of the recording view.
import { Icon } from '../icons';

export const ScreenIcon = () => <Icon><rect x="3.5" y="5" width="17" height="11.5" rx="2" /><path d="M9 20h6M12 16.5V20" /></Icon>;
export const FileIcon = () => <Icon><path d="M3.5 17.5v-11a1.5 1.5 0 0 1 1.5-1.5h4l2 2.5h8a1.5 1.5 0 0 1 1.5 1.5v8.5a1.5 1.5 0 0 1-1.5 1.5H5a1.5 1.5 0 0 1-1.5-1.5Z" /></Icon>;
export const MicOffIcon = () => <Icon><path d="M9 9v2.2a3 3 0 0 0 4.6 2.5M15 11V6.8a3 3 0 0 0-5.8-1M5.8 11.5a6.2 6.2 0 0 0 9.6 5.2M18.2 11.5a6 6 0 0 1-.7 2.7M12 17.7v2.8M4.5 4.5l15 15" /></Icon>;
export const FlipIcon = () => <Icon><path d="M4.5 12a7.5 7.5 0 0 1 13-5.1M19.5 12a7.5 7.5 0 0 1-13 5.1M17.8 3.2v3.9h-3.9M6.2 20.8v-3.9h3.9" /></Icon>;
export const SettingsIcon = () => <Icon><path d="M4 8h8M17 8h3M4 16h3M12 16h8" /><circle cx="14.5" cy="8" r="2.5" /><circle cx="9.5" cy="16" r="2.5" /></Icon>;
export const TrashIcon = () => <Icon><path d="M5 7h14M10 4.5h4M7 7l.8 12.5h8.4L17 7" /></Icon>;
