namespace OrleansStream.Stages;

/// <summary>Maps each record to one.</summary>
internal sealed class SelectOperator<TIn, TOut>(Func<TIn, TOut> map, Output<TOut> output, Failures<TIn> failures) : Operator<TIn>
{
    public override void OnRecords(Records<TIn> records)
    {
        var next = 0;
        while (next < records.Count)
        {
            try
            {
                for (; next < records.Count; next++) output.Emit(map(records.Values[next]), records.Timestamps[next]);
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                failures.Take(error, records.Values[next], records.Timestamps[next]);
                next++;
            }
        }

        output.Flush();
        failures.Flush();
    }

    public override void OnWatermark(long watermark)
    {
        output.Watermark(watermark);
        failures.Watermark(watermark);
    }
}

/// <summary>Keeps the records for which the predicate holds.</summary>
internal sealed class WhereOperator<T>(Func<T, bool> predicate, Output<T> output, Failures<T> failures) : Operator<T>
{
    public override void OnRecords(Records<T> records)
    {
        var next = 0;
        while (next < records.Count)
        {
            try
            {
                for (; next < records.Count; next++)
                {
                    if (predicate(records.Values[next])) output.Emit(records.Values[next], records.Timestamps[next]);
                }
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                failures.Take(error, records.Values[next], records.Timestamps[next]);
                next++;
            }
        }

        output.Flush();
        failures.Flush();
    }

    public override void OnWatermark(long watermark)
    {
        output.Watermark(watermark);
        failures.Watermark(watermark);
    }
}

/// <summary>Maps each record to any number of records. A record whose sequence throws half way leaves nothing behind.</summary>
internal sealed class SelectManyOperator<TIn, TOut>(Func<TIn, IEnumerable<TOut>> map, Output<TOut> output, Failures<TIn> failures) : Operator<TIn>
{
    private readonly List<TOut> _results = [];

    public override void OnRecords(Records<TIn> records)
    {
        for (var i = 0; i < records.Count; i++)
        {
            _results.Clear();
            try
            {
                _results.AddRange(map(records.Values[i]));
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                failures.Take(error, records.Values[i], records.Timestamps[i]);
                continue;
            }

            foreach (var result in _results) output.Emit(result, records.Timestamps[i]);
        }

        output.Flush();
        failures.Flush();
    }

    public override void OnWatermark(long watermark)
    {
        output.Watermark(watermark);
        failures.Watermark(watermark);
    }
}
