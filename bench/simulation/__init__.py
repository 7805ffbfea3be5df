"""A district's people at work, played through the HTTP API alone, and the audit of what came of it.

simulate.py ── Town ──┬── intake      submits the planned demands, each under its own key
                      ├── Life        one demand: whoever may act next looks, chooses and acts; Helping speaks for its co-units
                      ├── Sitting     one joint meeting: its chair or secretary works through the agenda
                      ├── Quarter     three months: the chair of each community goes to the next unit
                      ├── Works       projects: milestones, an activity of the chair, the end
                      └── Faults      kill -9 and outages at seeded moments
             Diary    what the API promised: every number it gave, every action it confirmed
             audit    compares the diary with the event logs, the tables and Temporal
"""
