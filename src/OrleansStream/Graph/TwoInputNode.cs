using OrleansStream.Functions;
using OrleansStream.Stages;

namespace OrleansStream.Graph;

/// <summary>
/// A node with two inputs. Having at least two edges it always begins a stage. It may have side outputs; records of either input at which its function throws become dead letters, in
/// one stream of them when both are of one type.
/// </summary>
internal sealed class TwoInputNode<TFirst, TSecond, TOut> : Node, ITwoInputs, ISideOwner
{
    private readonly Func<ChainBuilder, TwoInputNode<TFirst, TSecond, TOut>, TwoInputOperator<TFirst, TSecond>> _make;

    public TwoInputNode(
        JobGraph graph, string kind, string name, bool isNamed, OnError onError, Func<ChainBuilder, TwoInputNode<TFirst, TSecond, TOut>, TwoInputOperator<TFirst, TSecond>> make)
        : base(graph, kind, name, isNamed)
    {
        _make = make;
        OnError = onError;
        Port = new Port<TOut>(this);
        FirstLetters = new Port<DeadLetter<TFirst>>(this, "dead-letters");
        SecondLetters = FirstLetters as Port<DeadLetter<TSecond>> ?? new Port<DeadLetter<TSecond>>(this, "dead-letters-of-second");
        First = new Entry<TFirst>(this, static head => ((TwoInputOperator<TFirst, TSecond>)head).First);
        Second = new Entry<TSecond>(this, static head => ((TwoInputOperator<TFirst, TSecond>)head).Second);
    }

    public OnError OnError { get; }

    public Port<TOut> Port { get; }

    public Port<DeadLetter<TFirst>> FirstLetters { get; }

    public Port<DeadLetter<TSecond>> SecondLetters { get; }

    public IEntry<TFirst> First { get; }

    public IEntry<TSecond> Second { get; }

    public List<ISidePort> Sides { get; } = [];

    /// <summary>Says why the operator never emits to a side output; a function may emit to any.</summary>
    public Func<string, Type, string?> SideCheck { get; init; } = static (_, _) => null;

    public string? SideProblem(string name, Type record) => SideCheck(name, record);

    public Port<DeadLetter<T>>? LettersOf<T>() => FirstLetters as Port<DeadLetter<T>> ?? SecondLetters as Port<DeadLetter<T>>;

    public override Operator BuildOperator(ChainBuilder chain) => chain.Add(_make(chain, this));

    /// <summary>What takes the records of either input at which the function throws; one for both where they share their dead letters.</summary>
    public (Failures<TFirst> First, Failures<TSecond> Second) FailuresOf(ChainBuilder chain)
    {
        var first = chain.FailuresOf(this, OnError, FirstLetters);
        return (first, first as Failures<TSecond> ?? chain.FailuresOf(this, OnError, SecondLetters));
    }

    /// <summary>Notes what the fingerprint is to tell apart: which edges go to which input.</summary>
    public void NoteInputs(int first) => Properties["inputs"] = System.FormattableString.Invariant($"{first}+{Inputs.Count - first}");

    private sealed class Entry<T>(Node node, Func<Operator, Operator<T>> end) : IEntry<T>
    {
        public Node Node => node;

        public Operator<T> Build(ChainBuilder chain) => throw new InvariantException($"'{node.Name}' has two inputs and begins a stage; it cannot be chained.");

        public Operator<T> EndOf(Operator head) => end(head);
    }
}

/// <summary>A node of two inputs whose record types do not matter.</summary>
internal interface ITwoInputs
{
    OnError OnError { get; }

    /// <summary>The dead letters of an input of this type; null when it has none such.</summary>
    Port<DeadLetter<T>>? LettersOf<T>();
}
