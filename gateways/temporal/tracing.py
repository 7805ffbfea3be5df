"""A caller's `traceparent` goes with its update into the workflow, and from there with what the update sets off, so that the
worker's lines carry the same `trace_id` as the API's. Where the caller sent none, nothing is added anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from temporalio import client, worker, workflow
from temporalio.api.common.v1 import Payload

with workflow.unsafe.imports_passed_through():
    from runtime import logging as linli_logging

HEADER = "traceparent"


class Traced(client.Interceptor, worker.Interceptor):
    """For the client; a worker that is made of such a client takes it over."""

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        return _FromCaller(next)

    def intercept_activity(self, next: worker.ActivityInboundInterceptor) -> worker.ActivityInboundInterceptor:
        return _IntoActivity(next)

    def workflow_interceptor_class(
        self, input: worker.WorkflowInterceptorClassInput
    ) -> type[worker.WorkflowInboundInterceptor]:
        return _IntoWorkflow


class _FromCaller(client.OutboundInterceptor):
    async def start_workflow_update(
        self, input: client.StartWorkflowUpdateInput
    ) -> client.WorkflowUpdateHandle[Any]:  # fmt: skip
        trace = linli_logging.traceparent.get()
        if trace is not None:
            input.headers = {**input.headers, HEADER: Payload(data=trace.encode())}
        return await super().start_workflow_update(input)


class _IntoActivity(worker.ActivityInboundInterceptor):
    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
        found = input.headers.get(HEADER)
        if found is not None:
            linli_logging.traceparent.set(found.data.decode())
        return await super().execute_activity(input)


class _IntoWorkflow(worker.WorkflowInboundInterceptor):
    """What an update sets off is traced to the update that came last: its recording comes in the same task."""

    trace: Payload | None = None

    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(_OutOfWorkflow(outbound, self))

    async def handle_update_handler(self, input: worker.HandleUpdateInput) -> Any:
        self.trace = input.headers.get(HEADER)
        try:
            return await super().handle_update_handler(input)
        finally:
            self.trace = None


class _OutOfWorkflow(worker.WorkflowOutboundInterceptor):
    def __init__(self, next: worker.WorkflowOutboundInterceptor, inbound: _IntoWorkflow) -> None:
        super().__init__(next)
        self._inbound = inbound

    def start_local_activity(self, input: worker.StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = self._with_trace(input.headers)
        return super().start_local_activity(input)

    def start_activity(self, input: worker.StartActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = self._with_trace(input.headers)
        return super().start_activity(input)

    def _with_trace(self, headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
        return headers if self._inbound.trace is None else {**headers, HEADER: self._inbound.trace}
