"""Gemini behind `TextModel`: the Developer API and Vertex AI, through the google-genai client. One attempt per call.

The layers that make it safe at scale (retry by kind and hint, breaker, request and token limits, spending, response cache, backup model) wrap a
`TextModel` and are TextModels themselves: they will be put around this one in `open_model`, and need nothing from inside it but
`LLMError.kind`, `.retry_after_s` and `.reply` (what an unusable answer cost).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import TYPE_CHECKING

from marketing_agents.llm.failures import call_errors, classify_failure, usable_text
from marketing_agents.llm.masking import Masker, masker_of
from marketing_agents.llm.port import LLMError, ModelReply, ModelRequest, TextModel
from marketing_agents.llm.prices import cost_usd
from marketing_agents.settings import SettingsError

if TYPE_CHECKING:
    import httpx2
    from google.genai import Client
    from google.genai.types import GenerateContentConfig, GenerateContentResponse

    from marketing_agents.settings import Settings

# Below this the pool would answer with PoolTimeout before the model does.
_SMALLEST_POOL = 64


class GeminiModel:
    """A `TextModel` on an open google-genai client. Make it with `open_model`.

    `price_day`: the day whose list prices hold for the calls; None when prices are not known (Vertex AI).
    """

    def __init__(self, client: Client, *, price_day: date | None, masker: Masker) -> None:
        self._client = client
        self._price_day = price_day
        self._masker = masker
        self._expected = call_errors()

    async def generate(self, request: ModelRequest) -> ModelReply:
        """One attempt.

        Raises:
            LLMError: no usable answer. `reply` tells what was billed when the answer came but was of no use.
        """
        config = _config(request)
        started = time.perf_counter()
        try:
            # The transport's timeout is per read: a server that drips bytes passes it. This one is for the whole attempt.
            async with asyncio.timeout(request.timeout_s):
                response = await self._client.aio.models.generate_content(model=request.model, contents=request.user, config=config)
        except self._expected as error:
            failure = classify_failure(error, model=request.model, masker=self._masker)
        else:
            return self._reply(response, request, latency_s=time.perf_counter() - started)
        # Outside the handler: the original holds request and answer, and would be printed with the traceback.
        raise failure

    def _reply(self, response: GenerateContentResponse, request: ModelRequest, *, latency_s: float) -> ModelReply:
        reply = self._usage(response, request, latency_s=latency_s)
        try:
            return reply.model_copy(update={"text": usable_text(response, model=request.model)})
        except LLMError as error:
            error.reply = reply
            raise

    def _usage(self, response: GenerateContentResponse, request: ModelRequest, *, latency_s: float) -> ModelReply:
        from google.genai.types import GenerateContentResponseUsageMetadata

        usage = response.usage_metadata or GenerateContentResponseUsageMetadata()
        # Google serves retired names with newer models, at their price: what counts is the version that answered.
        model = response.model_version or request.model
        input_tokens = (usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0)
        cached_tokens = usage.cached_content_token_count or 0
        thought_tokens = usage.thoughts_token_count or 0
        output_tokens = (usage.candidates_token_count or 0) + thought_tokens
        cost = None
        if response.usage_metadata is not None and self._price_day is not None:
            cost = cost_usd(model, self._price_day, input_tokens=input_tokens, cached_tokens=cached_tokens, output_tokens=output_tokens)
        finish = response.candidates[0].finish_reason if response.candidates else None
        return ModelReply(
            text="",
            model=model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cached_tokens=cached_tokens,
            thought_tokens=thought_tokens,
            cost_usd=cost,
            latency_s=latency_s,
            finish_reason=str(getattr(finish, "value", finish)) if finish is not None else "UNKNOWN",
        )


@asynccontextmanager
async def open_model(settings: Settings, *, today: date) -> AsyncIterator[TextModel | None]:
    """The model of the settings, or None when none is to be used; closed at the end. Open it inside the running event loop.

    A client belongs to the loop it was made in (a second `asyncio.run` would fail with "Event loop is closed"), so this is opened and closed
    within each step.

    Args:
        settings: which API, which key; see `Settings.has_model`.
        today: the day the calls are made on; its list prices give the cost.

    Raises:
        SettingsError: a model is asked for but there is neither a key nor a Vertex AI project.
    """
    if not settings.has_model:
        yield None
        return
    _check_configured(settings)
    transport = _transport(settings)
    try:
        client = _client(settings, transport)
        try:
            yield GeminiModel(client, price_day=None if settings.use_vertexai else today, masker=masker_of(settings))
        finally:
            await client.aio.aclose()
    finally:
        await transport.aclose()


def _check_configured(settings: Settings) -> None:
    if settings.use_vertexai and settings.google_cloud_project is None and settings.gemini_api_key is None:
        raise SettingsError("GOOGLE_GENAI_USE_VERTEXAI: set GOOGLE_CLOUD_PROJECT too, or an API key for express mode")
    if not settings.use_vertexai and settings.gemini_api_key is None:
        raise SettingsError(
            "MARKETING_AGENTS_WRITER=gemini: set GEMINI_API_KEY, or GOOGLE_GENAI_USE_VERTEXAI=true and GOOGLE_CLOUD_PROJECT"
        )


def _client(settings: Settings, transport: httpx2.AsyncClient) -> Client:
    from google import genai
    from google.genai import types

    # `enterprise` is always given: with it unset, an environment variable would choose the API.
    options = types.HttpOptions(
        base_url=settings.gemini_base_url,
        timeout=_milliseconds(settings.model_timeout_s),
        retry_options=types.HttpRetryOptions(attempts=1),  # the SDK's own retry ignores the server's hints
        httpx_async_client=transport,
    )
    if settings.use_vertexai and settings.google_cloud_project is not None:
        location = settings.google_cloud_location or "global"
        return genai.Client(enterprise=True, project=settings.google_cloud_project, location=location, http_options=options)
    key = settings.gemini_api_key.get_secret_value() if settings.gemini_api_key is not None else None
    return genai.Client(enterprise=settings.use_vertexai, api_key=key, http_options=options)


def _transport(settings: Settings) -> httpx2.AsyncClient:
    """Our own transport: which one the SDK would take depends on what is installed, and with it the exceptions and hidden retries."""
    import httpx2

    size = max(_SMALLEST_POOL, settings.max_concurrent_agents)

    async def refuse_unreadable(response: httpx2.Response) -> None:
        # The SDK meets a body such as `3` with a TypeError, which would look like a bug of ours.
        if response.status_code == httpx2.codes.OK and (await response.aread()).lstrip()[:1] not in (b"{", b"["):
            raise httpx2.DecodingError("the body is not a JSON object", request=response.request)

    return httpx2.AsyncClient(
        limits=httpx2.Limits(max_connections=size, max_keepalive_connections=size),
        event_hooks={"response": [refuse_unreadable]},
    )


def _config(request: ModelRequest) -> GenerateContentConfig:
    from google.genai import types

    # A schema that is not plain JSON is a bug of ours: it must show here, not as a failed call.
    json.dumps(request.schema_)
    level = types.ThinkingLevel(request.thinking_level.upper()) if request.thinking_level else None
    return types.GenerateContentConfig(
        system_instruction=request.system,
        max_output_tokens=request.max_output_tokens,
        response_mime_type="application/json",
        response_json_schema=request.schema_,
        thinking_config=types.ThinkingConfig(thinking_level=level) if level else None,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        http_options=types.HttpOptions(timeout=_milliseconds(request.timeout_s), retry_options=types.HttpRetryOptions(attempts=1)),
    )


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
