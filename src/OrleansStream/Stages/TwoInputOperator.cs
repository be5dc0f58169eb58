namespace OrleansStream.Stages;

/// <summary>
/// An operator with two inputs, at the head of a stage: each edge goes to one of its two ends. Watermarks and barriers are those of all channels together, and come to the operator itself.
/// </summary>
internal abstract class TwoInputOperator<TFirst, TSecond> : Operator
{
    /// <summary>Takes the records of the first input.</summary>
    public Operator<TFirst> First => field ??= new FirstEnd(this) { Name = Name };

    /// <summary>Takes the records of the second input.</summary>
    public Operator<TSecond> Second => field ??= new SecondEnd(this) { Name = Name };

    protected abstract void OnFirst(Records<TFirst> records);

    protected abstract void OnSecond(Records<TSecond> records);

    private static InvariantException Misled(string name) => new($"A watermark came to one input of operator '{name}' instead of to the operator.");

    private sealed class FirstEnd(TwoInputOperator<TFirst, TSecond> operatorOfTwo) : Operator<TFirst>
    {
        public override void OnRecords(Records<TFirst> records) => operatorOfTwo.OnFirst(records);

        public override void OnWatermark(long watermark) => throw Misled(Name);
    }

    private sealed class SecondEnd(TwoInputOperator<TFirst, TSecond> operatorOfTwo) : Operator<TSecond>
    {
        public override void OnRecords(Records<TSecond> records) => operatorOfTwo.OnSecond(records);

        public override void OnWatermark(long watermark) => throw Misled(Name);
    }
}
