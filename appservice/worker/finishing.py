"""Finishes what follows from a video being ready, with lower rungs that are wanted, and repeats what fails."""

import asyncio
import contextlib
from datetime import timedelta

import structlog

from appservice.core.errors import HomeserverError, MediaError, NotYetUploadedError, UnavailableError
from appservice.core.model import LowerRungs, Video, VideoId
from appservice.core.rules.retries import BACK_OFF, Cause, cause_of, failure_of
from appservice.worker.attempts import RetryLaterError, SupersededError, while_wanted
from appservice.worker.concurrency import PreemptedError, ProcessorSlots
from appservice.worker.lower_rungs import check_source, make_lower_rungs, share_lower_rungs
from appservice.worker.scratch import workspace
from appservice.worker.transcode_options import limits_of
from appservice.worker.video_attempt import VideoServices
from transcode import TranscodeError

log = structlog.get_logger()

_DELAYS = (*BACK_OFF[1:], timedelta(hours=1))
"""The delays after each time that something failed, whatever did: the video plays meanwhile."""


async def finish_again(services: VideoServices, video_id: VideoId, slots: ProcessorSlots | None = None) -> None:
    """Finish what a worker left undone that died or was stopped when its video was ready, or most of it.

    With `slots`, lower rungs that are wanted are made before. What fails is repeated as often as attempts are made, and
    RetryLaterError raised; what is stopped, or could not tell our own homeserver or database, does not count.
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
    await _repeat_or_stop(services, video, failure)


async def _repeat_or_stop(services: VideoServices, video: Video, failure: MediaError | TranscodeError) -> None:
    """Raise RetryLaterError where it is to be tried again; else end the work: the video plays as it is."""
    cause = cause_of(failure)
    passing = cause is Cause.TRANSIENT
    tries, most = await services.store.finishing_tries(video), services.config.worker.attempts
    if passing and video.media.lower_rungs is LowerRungs.SPARE and await services.lower_rungs.leave_out_again(video):
        # There are others to be made in spare time.
        await services.store.finished(video)
    elif cause is Cause.PERMANENT or tries >= most:
        # Perhaps its file is gone from the homeserver: it is known by its bytes alone.
        await services.sweeping.later(video.id)
        await services.store.stop_finishing(video, passing=passing)
    else:
        raise RetryLaterError(_DELAYS[min(max(tries, 1), len(_DELAYS)) - 1]) from failure


async def _finish(
    services: VideoServices, video: Video, slots: ProcessorSlots | None
) -> MediaError | TranscodeError | None:
    """Finish a video; return what failed of its lower rungs, when all else is done."""
    with workspace(services.scratch, video.id) as folder:
        if slots and await share_lower_rungs(services, video):
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
