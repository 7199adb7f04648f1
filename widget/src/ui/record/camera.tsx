// The running camera or screen, and the buttons of a recorder.
import { useEffect, useRef, useState } from 'preact/hooks';
import { clock } from '../../core/format';
import type { Recording } from '../../core/recording/model';
import { isTouched, type Device } from '../../record/devices';
import type { Captured } from '../../record/capture';
import type { RecordingSession } from '../../record/session';
import { IconButton } from '../controls';
import { MicIcon, PauseIcon } from '../icons';
import { useText } from '../text';
import { useStore } from '../use-store';
import { ProblemNote } from './choosing';
import { useConfirm } from './confirm';
import { FlipIcon, MicOffIcon, SettingsIcon, TrashIcon } from './icons';
import { Link } from './link';

function Preview({ live }: { live: Captured | null }) {
  const t = useText();
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current) video.current.srcObject = live?.stream ?? null;
  }, [live?.stream]);
  return <video ref={video} class="live" data-testid="record-live" data-mirrored={live?.mirrored === true} aria-label={t('widget-record-live')} autoplay muted playsInline />;
}

function Choice({ label, devices, value, onValue }: { label: string; devices: readonly Device[]; value: string | null; onValue: (id: string) => void }) {
  return (
    <label class="device">
      <span>{label}</span>
      <select value={value ?? ''} onChange={({ currentTarget }) => onValue(currentTarget.value)}>
        {devices.map((device, index) => <option key={device.id} value={device.id}>{device.label || `${label} ${index + 1}`}</option>)}
      </select>
    </label>
  );
}

/** Null where there is nothing to choose. */
function settingsOf(live: Captured, recording: Recording): { cameras: boolean; microphones: boolean; beside: boolean } | null {
  const cameras = recording.source === 'camera' && live.cameras.length > 1;
  const beside = recording.source === 'screen';
  const microphones = live.microphones.length > 1 && (live.microphone !== null || !beside);
  return cameras || microphones || beside ? { cameras, microphones, beside } : null;
}

function Settings({ session, live, recording }: { session: RecordingSession; live: Captured; recording: Recording }) {
  const t = useText();
  const offered = settingsOf(live, recording);
  if (offered === null) return null;
  return (
    <div class="devices" id="record-devices">
      {offered.beside && (
        <label class="device device-check">
          <input type="checkbox" checked={live.microphone !== null} data-testid="record-with-microphone" onChange={({ currentTarget }) => void session.capture.useMicrophone(currentTarget.checked)} />
          <span>{t('widget-record-with-microphone')}</span>
        </label>
      )}
      {offered.cameras && <Choice label={t('widget-record-device-camera')} devices={live.cameras} value={live.camera} onValue={(camera) => void session.capture.choose({ camera })} />}
      {offered.microphones && <Choice label={t('widget-record-device-microphone')} devices={live.microphones} value={live.microphone} onValue={(microphone) => void session.capture.choose({ microphone })} />}
    </div>
  );
}

const CALM = '(prefers-reduced-motion: reduce)';

/** `Recording 2026-11-23 14.05`: names of files take no colon. */
function useName(): () => string {
  const t = useText();
  return () => {
    const now = new Date();
    const pad = (number: number): string => String(number).padStart(2, '0');
    const date = `${now.getFullYear()}-${pad(now.getMonth() + 1)}-${pad(now.getDate())} ${pad(now.getHours())}.${pad(now.getMinutes())}`;
    // Without the marks that keep the writing direction of inserted texts apart.
    return t('widget-record-name', { date }).replace(/[\u2066-\u2069]/g, '');
  };
}

export function Camera({ session, recording }: { session: RecordingSession; recording: Recording }) {
  const t = useText();
  const live = useStore(session.capture.current);
  const [settings, setSettings] = useState(recording.source === 'screen');
  const name = useName();
  const { phase, take, limits, problem } = recording;
  const running = phase === 'recording' || phase === 'paused';
  const begin = (): void => session.start(name(), phase === 'live' && !matchMedia(CALM).matches);
  const choosable = live !== null && phase === 'live' && settingsOf(live, recording) !== null;
  const [confirm, askDiscard] = useConfirm(() => session.discard());
  return (
    <div class="record-stage" data-source={recording.source}>
      <Preview live={live} />
      {problem !== null && <ProblemNote problem={problem} />}
      {phase === 'counting' && (
        <button type="button" class="countdown" data-testid="record-skip" data-focus aria-label={t('widget-record-skip')} onClick={begin}>
          <span key={recording.countdown} class="countdown-number">{recording.countdown}</span>
          <span class="countdown-hint">{t('widget-record-skip')}</span>
        </button>
      )}
      {running && (
        <p class="record-clock" data-testid="record-clock" data-paused={phase === 'paused'}>
          <span class="record-dot" aria-hidden="true" />
          {clock(take?.duration ?? 0)}
          {limits.duration !== null && <small> / {clock(limits.duration)}</small>}
        </p>
      )}
      <Link recording={recording} />
      {confirm ?? (
        <div class="record-controls">
          {choosable && settings && <Settings session={session} live={live} recording={recording} />}
          <div class="record-buttons">
            <span class="record-side">
              {running && <IconButton label={t('widget-record-discard')} testId="record-discard" onPress={askDiscard}><TrashIcon /></IconButton>}
              {choosable && (
                <button type="button" class="icon-button" aria-label={t('widget-record-devices')} title={t('widget-record-devices')} aria-expanded={settings} data-testid="record-devices" onClick={() => setSettings(!settings)}><SettingsIcon /></button>
              )}
              {!running && recording.source === 'camera' && (live?.cameras.length ?? 0) > 1 && isTouched() && (
                <IconButton label={t('widget-record-flip')} testId="record-flip" onPress={() => void session.capture.flip()}><FlipIcon /></IconButton>
              )}
            </span>
            {running ? (
              <button type="button" class="shutter" data-running="true" data-testid="record-stop" data-focus aria-label={t('widget-record-stop')} title={t('widget-record-stop')} onClick={() => session.stop()} />
            ) : (
              <button type="button" class="shutter" data-testid="record-start" data-focus={phase === 'live' ? true : undefined} aria-label={t('widget-record-start')} title={t('widget-record-start')} onClick={begin} />
            )}
            <span class="record-side">
              {phase === 'recording' && <IconButton label={t('widget-record-pause')} testId="record-pause" onPress={() => session.pause()}><PauseIcon /></IconButton>}
              {phase === 'paused' && (
                <button type="button" class="icon-button resume" data-testid="record-resume" aria-label={t('widget-record-resume')} title={t('widget-record-resume')} onClick={() => session.resume()}><span class="record-dot" /></button>
              )}
              {live?.microphone != null && (
                <button type="button" class="icon-button" aria-label={t('widget-record-mute')} title={t('widget-record-mute')} aria-pressed={live.muted} data-testid="record-mute" onClick={() => session.capture.setMuted(!live.muted)}>
                  {live.muted ? <MicOffIcon /> : <MicIcon />}
                </button>
              )}
            </span>
          </div>
        </div>
      )}
    </div>
  );
}
