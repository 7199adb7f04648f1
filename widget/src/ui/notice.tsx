// A quiet page or picture that says what is the matter and what to do.
import type { ComponentChildren } from 'preact';

interface NoticeProps {
  icon: ComponentChildren;
  title: string;
  hint: string;
  busy?: boolean;
  children?: ComponentChildren;
}

export function Notice({ icon, title, hint, busy = false, children }: NoticeProps) {
  return (
    <div class="notice" role="status" data-testid="notice">
      <span class="notice-icon" aria-hidden="true">{icon}</span>
      <p class="notice-title">{title}</p>
      <p class="notice-hint">{hint}</p>
      {busy && <span class="progress" aria-hidden="true" />}
      {children}
    </div>
  );
}
