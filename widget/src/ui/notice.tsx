// A quiet page or stage that says what is the matter and what to do.
import type { ComponentChildren } from 'preact';

interface NoticeProps {
  icon: ComponentChildren;
  title: string;
  hint: string;
  /** Stands below the words and is not announced with them. */
  progress?: ComponentChildren;
  children?: ComponentChildren;
}

export function Notice({ icon, title, hint, progress, children }: NoticeProps) {
  return (
    <div class="notice" data-testid="notice">
      <span class="notice-icon" aria-hidden="true">{icon}</span>
      <div class="notice-words" role="status">
        <p class="notice-title">{title}</p>
        <p class="notice-hint">{hint}</p>
      </div>
      {progress}
      {children}
    </div>
  );
}
