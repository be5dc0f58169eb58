namespace OrleansStream.Benchmarks.Input;

/// <summary>A count and a sum: the state of both workloads. All values are small whole numbers, so that the sum is exact in any order.</summary>
[GenerateSerializer]
internal struct Total
{
    [Id(0)] public long Count;
    [Id(1)] public double Sum;

    public void Add(double value)
    {
        Count++;
        Sum += value;
    }

    public void Add(in Total other)
    {
        Count += other.Count;
        Sum += other.Sum;
    }
}
