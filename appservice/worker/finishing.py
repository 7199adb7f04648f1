"""Finishes what follows from a video being ready, with lower rungs that are wanted, and repeats what may pass."""

import asyncio
import contextlib
from datetime import timedelta

import structlog

from appservice.core.errors import HomeserverError, MediaError, NotYetUploadedError, UnavailableError
from appservice.core.model import Video, VideoId
from appservice.core.rules.retries import Cause, cause_of, failure_of
from appservice.worker.attempts import RetryLaterError, SupersededError, while_wanted
from appservice.worker.concurrency import PreemptedError, ProcessorSlots
from appservice.worker.lower_rungs import check_source, make_lower_rungs, share_lower_rungs
from appservice.worker.scratch import workspace
from appservice.worker.transcode_options import limits_of
from appservice.worker.video_attempt import VideoServices
from transcode import TranscodeError

log = structlog.get_logger()

_AGAIN = timedelta(minutes=1)


async def finish_again(services: VideoServices, video_id: VideoId, slots: ProcessorSlots | None = None) -> None:
    """Finish what a worker left undone that died or was stopped when its video was ready, or most of it.

    With `slots`, lower rungs that are wanted are made before. What fails is repeated: as often as attempts are made
    where it may be the file's fault, else until it succeeds. Raises RetryLaterError then.
    """
    video = await services.store.begin_finishing(video_id, services.config.worker.attempts)
    if video is None:
        return
    try:
        failure = await _finish(services, video, slots)
    except SupersededError:
        # Nothing is to be learnt of the file: the video may be another one by now.
        log.info("finishing_superseded", video_id=video_id)
        return
    except (asyncio.CancelledError, HomeserverError, UnavailableError):
        with contextlib.suppress(UnavailableError):
            await asyncio.shield(services.store.uncount_finishing(video))
        raise
    except NotYetUploadedError as error:
        failure = MediaError("media-gone", str(error), final=True)
    except (MediaError, TranscodeError) as error:
        failure = error
    except Exception as error:
        failure = failure_of(error)
        log.exception("finishing_failed", video_id=video_id, code=failure.code)
    if failure is None:
        return
    log.warning("video_not_finished", video_id=video_id, code=failure.code, reason=str(failure))
    cause = cause_of(failure)
    if cause is Cause.PERMANENT:
        # It plays, and its file is gone from the homeserver: it is known by its bytes alone.
        await services.lower_rungs.give_up(video)
        await services.store.finished(video)
        return
    if cause is Cause.TRANSIENT:
        await services.store.uncount_finishing(video)
    raise RetryLaterError(_AGAIN) from failure


async def _finish(
    services: VideoServices, video: Video, slots: ProcessorSlots | None
) -> MediaError | TranscodeError | None:
    """Finish a video; return what failed of its lower rungs, when all else is done."""
    with workspace(services.scratch, video.id) as folder:
        if slots and await share_lower_rungs(services, video, folder):
            await services.finish_known(video)
            return None
        source, failure = folder / "source", None
        downloaded = await while_wanted(services.download(video, source), lambda: services.store.is_wanted(video))
        if slots:
            await check_source(services, video, downloaded.sha256)
            try:
                await make_lower_rungs(services, video, source, downloaded.sha256, slots)
            except PreemptedError:
                if not await services.lower_rungs.leave_out_again(video):
                    await services.store.uncount_finishing(video)
                    raise RetryLaterError(timedelta(0)) from None
                log.info("lower_rungs_preempted", video_id=video.id)
            except (MediaError, TranscodeError) as error:
                failure = error
        await services.finish(video, source, downloaded.sha256, limits_of(services.config))
        return failure
