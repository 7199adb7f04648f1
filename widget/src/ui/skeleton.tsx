// What stands where everything will be, in the same places, while the room is being loaded.

export function PanelBones() {
  return (
    <div class="panel" aria-hidden="true">
      <div class="members"><ul>{[1, 2, 3, 4].map((each) => <li key={each}><span class="bone bone-face" /></li>)}</ul></div>
      <div class="videos">{[1, 2, 3].map((each) => <span key={each} class="bone bone-row" />)}</div>
    </div>
  );
}

/** `hint` is shown when the viewer has to do something for it to go on. The page's template holds the same shapes. */
export function Skeleton({ hint, label }: { hint: string | null; label: string }) {
  return (
    <main class="app" data-testid="app" data-state="loading" aria-busy="true" aria-label={label}>
      <div class="layout">
        <div class="stage">{hint !== null && <p class="stage-hint" role="status">{hint}</p>}</div>
        <PanelBones />
      </div>
    </main>
  );
}
