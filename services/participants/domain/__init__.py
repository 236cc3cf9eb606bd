"""What is known of participants, and what an organisation is shown of it.

Everything here is a pure function of the events known and of the day: events of different subjects may
arrive in any order, and the same events always give the same rows.

Who keeps the rows does this with a batch of events:
1. store each (`received.Received`), and what it refers to (`references.refers_to`);
2. find the participants concerned: the events' own, and those that refer to another subject of the batch, or
   to a partnership that refers to it; add those whose row is due (`ParticipantView.next_due`);
3. replace these participants' namings of mentors (`mentoring.namings`); where they changed, the mentors named
   before and after are concerned too;
4. derive the rows of all concerned (`view.derive`) from all events of each, all events of the partnerships
   that it refers to, and all namings of it, and replace the rows that were there.
"""
