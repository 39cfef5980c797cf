"""A linear regression on all workers of TF_CONFIG at once: every step averages the gradients of their batches."""
import json

import tensorflow as tf

STEPS = 100
BATCH = 32

strategy = tf.distribute.MultiWorkerMirroredStrategy()
task = strategy.cluster_resolver


def examples(context):
    """Other examples on each worker: y = 3a - 2b + 1."""
    features = tf.random.stateless_normal([STEPS * BATCH, 2], seed=[context.input_pipeline_id, 7])
    labels = tf.linalg.matvec(features, tf.constant([3.0, -2.0])) + 1.0
    return tf.data.Dataset.from_tensor_slices((features, labels)).batch(BATCH)


with strategy.scope():
    mean = tf.VariableAggregation.MEAN
    weights = tf.Variable([0.0, 0.0], aggregation=mean)
    bias = tf.Variable(0.0, aggregation=mean)


@tf.function
def step(batch):
    def one(features, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.linalg.matvec(features, weights) + bias - labels))
        for variable, gradient in zip((weights, bias), tape.gradient(loss, (weights, bias))):
            variable.assign_sub(0.1 * gradient)
        return loss

    return strategy.reduce(tf.distribute.ReduceOp.MEAN, strategy.run(one, args=batch), axis=None)


for batch in strategy.distribute_datasets_from_function(examples):
    loss = step(batch)

print(json.dumps({
    "task": f"{task.task_type}-{task.task_id}",
    "replicas": strategy.num_replicas_in_sync,
    "loss": float(loss),
    "weights": [*weights.numpy().tolist(), float(bias.numpy())],
}), flush=True)
