namespace OrleansStream.Benchmarks.Peers;

/// <summary>The keyed state of one partition as one would write it by hand: no checkpoints, no key groups, one thread.</summary>
/// <typeparam name="TRecord">The type of a record.</typeparam>
internal interface ITable<TRecord>
{
    /// <summary>Takes a record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="time">Its event time, which may be later than the record itself says.</param>
    void Add(in TRecord record, long time);

    /// <summary>Closes what ended at or before a watermark.</summary>
    void Advance(long watermark);

    /// <summary>Closes everything; the answer of all.</summary>
    Answer Finish();
}

/// <summary>The state of one key, where a peer keeps keys apart. It knows no other time than that of its own records.</summary>
/// <typeparam name="TRecord">The type of a record.</typeparam>
internal interface IKeyState<TRecord>
{
    void Add(in TRecord record);

    /// <summary>Closes everything; the answer of all.</summary>
    Answer Finish();
}
