"""Spans as OpenTelemetry tells them, sent to a collector by OTLP over HTTP.

The extra `otel` brings the libraries. They read their own variables too: OTEL_EXPORTER_OTLP_HEADERS
for a collector that asks for a key, OTEL_TRACES_SAMPLER for less than everything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.tracing import TRACEPARENT, Facts, Kind

NAME = "severa-fortnox-bridge"
KINDS = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}


class Recorder:
    def __init__(self, url: str, process: str) -> None:
        about = {
            "service.namespace": NAME,
            "service.name": f"bridge-{process}",
            "service.version": version(NAME),
        }
        self._provider = TracerProvider(resource=Resource.create(about))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
        self._tracer = self._provider.get_tracer(NAME)
        self._w3c = TraceContextTextMapPropagator()

    @contextmanager
    def span(self, name: str, kind: Kind, after: str | None, facts: Facts) -> Iterator[None]:
        """An error is told by its name alone: its text may quote what nobody else should read."""
        parent = self._w3c.extract({TRACEPARENT: after}, Context()) if after else None
        with self._tracer.start_as_current_span(
            name,
            parent,
            KINDS[kind],
            attributes=facts,
            record_exception=False,
            set_status_on_exception=False,
        ) as begun:
            try:
                yield
            except BaseException as error:
                begun.set_attribute("error.type", type(error).__name__)
                begun.set_status(Status(StatusCode.ERROR))
                raise

    def note(self, facts: Facts) -> None:
        trace.get_current_span().set_attributes(facts)

    def rename(self, name: str) -> None:
        trace.get_current_span().update_name(name)

    def current(self) -> str | None:
        carrier: dict[str, str] = {}
        self._w3c.inject(carrier)
        return carrier.get(TRACEPARENT)

    def close(self) -> None:
        self._provider.shutdown()
