"""A district's people at work, played through the HTTP API alone, and the audit of what came of it.

simulate.py ── Town ──┬── intake      submits the planned demands, each under its own key
                      ├── Life        one demand: whoever may act next looks, chooses and acts
                      ├── Sitting     one joint meeting: its chair or secretary works through the agenda
                      └── Faults      kill -9 and outages at seeded moments
             Diary    what the API promised: every number it gave, every action it confirmed
             audit    compares the diary with the event logs, the tables and Temporal
"""
