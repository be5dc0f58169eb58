using OrleansStream.Functions;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Graph;

/// <summary>Makes the function of one subtask of a node of two keyed inputs.</summary>
internal delegate KeyedCoFunction<TKey, TFirst, TSecond, TOut> MakeCoFunction<TKey, TFirst, TSecond, TOut>(ChainBuilder chain, Failures<TFirst> first, Failures<TSecond> second)
    where TKey : notnull;

/// <summary>Two streams with keys of one type, for operators that take both: functions and joins.</summary>
internal sealed class KeyedPair<TKey, TFirst, TSecond>(KeyedStream<TKey, TFirst> first, KeyedStream<TKey, TSecond> second)
    where TKey : notnull
{
    public JobGraph Graph => first.Graph;

    /// <summary>Adds an operator that runs a function over both.</summary>
    /// <param name="kind">The operator's public name.</param>
    /// <param name="name">Its written name.</param>
    /// <param name="onError">What happens to a record at which the function throws.</param>
    /// <param name="make">Makes the function, once per subtask, and when state is read that no subtask begins with yet.</param>
    /// <param name="declared">Reads what state the function declares.</param>
    /// <param name="check">Notes and refuses what is the operator's own, before its inputs are joined to it.</param>
    /// <param name="needsEventTime">Whether results come with the watermark.</param>
    /// <param name="sideCheck">Says why it never emits to a side output; null when it may emit to any.</param>
    public TwoInputNode<TFirst, TSecond, TOut> Add<TOut>(
        string kind,
        string name,
        OnError onError,
        MakeCoFunction<TKey, TFirst, TSecond, TOut> make,
        Func<IReadOnlyList<StateDeclaration>> declared,
        Action<Node> check,
        bool needsEventTime = false,
        Func<string, Type, string?>? sideCheck = null)
    {
        IReadOnlyList<StateDeclaration> states = [];
        var node = Graph.Add(new TwoInputNode<TFirst, TSecond, TOut>(Graph, kind, name, isNamed: true, onError, (chain, self) =>
        {
            var output = chain.OutputOf(self.Port);
            var scope = new KeyedScope<TKey, TOut>(self.Name, chain.Context, states, output, chain.SidesOf(self.Sides), undo: self.OnError == OnError.DeadLetter);
            var (ofFirst, ofSecond) = self.FailuresOf(chain);
            return new KeyedCoOperator<TKey, TFirst, TSecond, TOut>(chain.Context, first.Key, second.Key, make(chain, ofFirst, ofSecond), scope, ofFirst, ofSecond) { Name = self.Name };
        })
        { NeedsEventTime = needsEventTime, SideCheck = sideCheck ?? (static (_, _) => null) });
        states = StateCheck.Declared(Graph, node, declared);
        node.Properties["result"] = TypeName.Of(typeof(TOut));
        check(node);
        first.Connect(node.First);
        var firstInputs = node.Inputs.Count;
        second.Connect(node.Second);
        node.NoteInputs(firstInputs);
        return node;
    }
}
