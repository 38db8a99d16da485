"""Videos, pictures and shared motions as REST."""
from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from clinic.apis import Input, TableAPI
from generation import downloads
from generation.selectors import candidate_get
from prescriptions import media, selectors, shares, videos
from prescriptions.models import MotionShare, MotionVideo
from prescriptions.rendering.film import MOST_REPETITIONS


class VideoOut(serializers.ModelSerializer):
    class Meta:
        model = MotionVideo
        fields = ["id", "prescription", "height", "view", "repetitions", "status", "stage", "detail", "fraction",
                  "error", "lacks_renderer", "duration_s", "facts", "created_at", "started_at", "finished_at",
                  "sent_at"]


class VideoIn(Input):
    height = serializers.ChoiceField(MotionVideo.Height.choices, default=720)
    view = serializers.ChoiceField(MotionVideo.View.choices, default="both")
    repetitions = serializers.IntegerField(
        min_value=1, max_value=MOST_REPETITIONS, allow_null=True, default=None, help_text="One set when not given."
    )


class VideoListAPI(TableAPI):
    actions = {"GET": "video.view", "POST": "video.create"}
    listed = True
    input_class, output_class = VideoIn, VideoOut

    def get(self, request, prescription_id: UUID) -> Response:
        row = selectors.prescription_get(user=request.user, prescription_id=prescription_id, action="video.view")
        return self.page(selectors.video_list(user=request.user, prescription=row))

    def post(self, request, prescription_id: UUID) -> Response:
        row = selectors.prescription_get(user=request.user, prescription_id=prescription_id, action="video.create")
        made = videos.video_request(actor=request.user, prescription=row, **self.read(request))
        return self.answer(made, status=201)


class VideoAPI(TableAPI):
    actions = {"GET": "video.view"}
    output_class = VideoOut

    def get(self, request, video_id: UUID) -> Response:
        return self.answer(selectors.video_get(user=request.user, video_id=video_id))


class VideoCancelAPI(TableAPI):
    actions = {"POST": "video.cancel"}
    input_class, output_class = Input, VideoOut
    service = staticmethod(videos.video_cancel)

    def post(self, request, video_id: UUID) -> Response:
        row = selectors.video_get(user=request.user, video_id=video_id, action="video.cancel")
        self.read(request)
        return self.answer(self.service(actor=request.user, video=row))


class VideoRetryAPI(VideoCancelAPI):
    """Make a failed or cancelled one again."""

    service = staticmethod(videos.video_retry)


class VideoFileAPI(TableAPI):
    """The MP4; `Range` is answered."""

    actions = {"GET": "video.view"}

    @extend_schema(responses={(200, "video/mp4"): OpenApiTypes.BINARY})
    def get(self, request, video_id: UUID) -> HttpResponse:
        return media.video(request, selectors.video_get(user=request.user, video_id=video_id, with_files=True))


class ExerciseVideoAPI(TableAPI):
    """The video of the patient's own signed exercise."""

    actions = {"GET": "exercise.view"}

    @extend_schema(responses={(200, "video/mp4"): OpenApiTypes.BINARY})
    def get(self, request, prescription_id: UUID) -> HttpResponse:
        row = selectors.exercise_get(user=request.user, prescription_id=prescription_id)
        return media.video(request, selectors.video_ready(prescription=row, with_files=True))


class ShareOut(serializers.ModelSerializer):
    state = serializers.CharField(read_only=True)

    class Meta:
        model = MotionShare
        fields = ["id", "candidate", "prescription", "shared_by", "shared_with", "note", "created_at", "expires_at",
                  "revoked_at", "state"]


class ShareIn(Input):
    shared_with = serializers.UUIDField(help_text="A clinician of the clinic; once it is signed also the patient.")
    days = serializers.IntegerField(min_value=1, max_value=shares.LONGEST_DAYS, default=shares.USUAL_DAYS)
    note = serializers.CharField(max_length=1000, allow_blank=True, default="")


class SharedOut(serializers.ModelSerializer):
    """A motion that somebody shows me: no patient."""

    shared_by = serializers.CharField(source="shared_by.full_name", read_only=True)
    signed = serializers.SerializerMethodField()

    class Meta:
        model = MotionShare
        fields = ["id", "shared_by", "note", "created_at", "expires_at", "signed"]

    def get_signed(self, row) -> bool:
        return row.prescription_id is not None


class ShareListAPI(TableAPI):
    actions = {"GET": "share.list", "POST": "share.create"}
    listed = True
    input_class, output_class = ShareIn, ShareOut

    def get(self, request, candidate_id: UUID) -> Response:
        candidate = candidate_get(user=request.user, candidate_id=candidate_id, action="share.list")
        return self.page(selectors.share_list(user=request.user, candidate=candidate))

    def post(self, request, candidate_id: UUID) -> Response:
        candidate = candidate_get(user=request.user, candidate_id=candidate_id, action="share.create")
        data = self.read(request)
        people = selectors.share_recipients(
            user=request.user, candidate=candidate, signed=selectors.signed_of(candidate)
        )
        person = people.filter(pk=data.pop("shared_with")).first()
        if person is None:
            raise serializers.ValidationError({"shared_with": ["This person cannot be shown the motion."]})
        share = shares.share_create(actor=request.user, candidate=candidate, shared_with=person, **data)
        return self.answer(share, status=201)


class ShareRevokeAPI(TableAPI):
    actions = {"POST": "share.revoke"}
    input_class, output_class = Input, ShareOut

    def post(self, request, share_id: UUID) -> Response:
        share = selectors.share_get(user=request.user, share_id=share_id, action="share.revoke")
        self.read(request)
        return self.answer(shares.share_revoke(actor=request.user, share=share))


class SharedListAPI(TableAPI):
    actions = {"GET": "shared.view"}
    listed = True
    output_class = SharedOut

    def get(self, request) -> Response:
        return self.page(selectors.shared_list(user=request.user))


class SharedPlaybackAPI(TableAPI):
    actions = {"GET": "shared.view"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request, share_id: UUID) -> HttpResponse:
        return downloads.playback(request, selectors.shared_playback(user=request.user, share_id=share_id))
