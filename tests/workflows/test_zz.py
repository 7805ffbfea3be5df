from tests.builders import *
import json, asyncio
async def test_dbg(product):
    p=product
    number = await p.submit(grid="xuanhualu-06")
    worker, opened = p.worker_of("xuanhualu-06"), (await p.started(number)).seq
    r=await asyncio.gather(*(p.act(number, worker, "note", note=f"同时{n}") for n in range(20)))
    entries = await p.entries(number)
    ids=[e.data.get("note_id","")[-5:] for e in entries]
    print(ids)
    s=await p.state(number)
    print("state head", s.seq, s.head[:8], "row head", (await p.row(number)).head[:8], "last entry", entries[-1].hash[:8])
    h=json.loads(await p.history(number))
    for e in h["events"]:
        x=e.get("workflowExecutionUpdateAcceptedEventAttributes")
        print(e["eventId"],e["eventType"][11:],e["eventTime"][14:23], (x or {}).get("protocolInstanceId","")[:45], json.dumps(e.get("workflowTaskFailedEventAttributes",""))[:300])
    # what the workflow says
    from temporalio.client import WorkflowHistory
    print(sum(1 for x in r), sorted(d.seq for d in r))
