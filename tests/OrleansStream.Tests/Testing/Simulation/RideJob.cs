using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.State;
using OrleansStream.Testing;
using OrleansStream.Testing.Simulation;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Testing.Simulation;

/// <summary>A ride of a taxi.</summary>
[GenerateSerializer, Immutable, Alias("os.tests.Ride")]
public sealed record Ride([property: Id(0)] string Taxi, [property: Id(1)] long At, [property: Id(2)] int Fare);

/// <summary>What a taxi took in a minute.</summary>
[GenerateSerializer, Immutable, Alias("os.tests.Minute")]
public readonly record struct Minute([property: Id(0)] int Rides, [property: Id(1)] int Fares);

/// <summary>A small user's job: numbers the rides of each taxi, sums them up each minute by a timer, and again by windows.</summary>
internal sealed class RideJob(bool countsInField) : IStreamJob
{
    public static readonly TimeSpan Disorder = TimeSpan.FromSeconds(5);
    public const long MinuteMs = 60_000;

    public void Define(JobGraph graph, JobArguments args)
    {
        var rides = graph
            .From(args.Require("input"), Collections.From(Array.Empty<Ride>()))
            .WithTimestamps(static ride => ride.At, Disorder)
            .KeyBy(static ride => ride.Taxi);
        rides.Process("minutes", _ => new Minutes(countsInField)).To("lines", new CountingSink<string>());
        rides.Window(TumblingWindows.Of(TimeSpan.FromMilliseconds(MinuteMs)))
            .Aggregate("sums", default(Minute), static (sum, ride) => new Minute(sum.Rides + 1, sum.Fares + ride.Fare), static sum => sum)
            .To("fares", new CountingSink<WindowResult<string, Minute>>());
    }

    /// <summary>Rides of eight taxis in three splits; those of a taxi are in one split, and out of order within the bound.</summary>
    public static SimulatedSource<Ride> Rides(int taxis = 8, int ridesOfEach = 60)
    {
        var rides = Enumerable.Range(0, taxis).SelectMany(taxi => Enumerable.Range(0, ridesOfEach).Select(n => new Ride($"taxi-{taxi}", (n * 7_000L) + ((n * 7 + taxi) % 5 * 1_000), (n % 9) + 5)));
        return SimulatedSource<Ride>.OfSplits(rides
            .GroupBy(static ride => ride.Taxi[^1] % 3)
            .Select(static split => split.OrderBy(static ride => ride.At / 5_000).Select(static ride => new TestRecord<Ride>(ride, ride.At))));
    }

    private sealed class Minutes(bool countsInField) : KeyedFunction<string, Ride, string>
    {
        public static readonly ValueState<int> Count = new("count");
        public static readonly MapState<long, Minute> Open = new("open");

        /// <summary>The mistake: what is kept here is gone with the subtask, and no checkpoint has it.</summary>
        private readonly Dictionary<string, int> _counts = [];

        public override IReadOnlyList<StateDeclaration> States => [Count, Open];

        public override void Process(in Ride ride, ref KeyedContext<string, string> context)
        {
            int number;
            if (countsInField)
            {
                number = _counts[ride.Taxi] = _counts.GetValueOrDefault(ride.Taxi) + 1;
            }
            else
            {
                number = context.Get(Count) + 1;
                context.Set(Count, number);
            }

            context.Emit($"{ride.Taxi}: ride {number}, {ride.Fare}");
            var start = ride.At - (ride.At % MinuteMs);
            var sum = context.TryGet(Open, start, out var open) ? open : default;
            context.Set(Open, start, new Minute(sum.Rides + 1, sum.Fares + ride.Fare));
            context.RegisterEventTimer(start + MinuteMs - 1);
        }

        public override void OnEventTimer(long timestamp, ref KeyedContext<string, string> context)
        {
            var start = timestamp + 1 - MinuteMs;
            if (!context.TryGet(Open, start, out var sum)) return;
            context.Remove(Open, start);
            context.Emit($"{context.Key}: minute {start / MinuteMs}, {sum.Rides} rides, {sum.Fares}");
        }
    }
}
